/** The number that the examples are made with; nobody has it. */
export const EXAMPLE_NUMBER = '13800000000'

/** What dialling opens for a number: the office telephone's prefix stands before it. */
export function dialAddress(template: string, prefix: string, number: string): string {
  return template.replaceAll('{number}', prefix + number)
}

/** `09:00-12:00` in its two times; anything else is an empty span to fill in. */
export function spanOf(text: string): [string, string] {
  const [, from = '', to = ''] = /^(\d{2}:\d{2})-(\d{2}:\d{2})$/.exec(text) ?? []
  return [from, to]
}

/** Two times as the settings keep them. */
export function spanText([from, to]: [string, string]): string {
  return `${from}-${to}`
}
