const STEP = 1024
const UNITS = ['B', 'KB', 'MB'] as const

/** A size as people say it: `812 B`, `3.4 MB`. */
export function sizeOf(bytes: number, n: (value: number, options: Intl.NumberFormatOptions) => string): string {
  let at = 0
  let value = bytes
  while (value >= STEP && at < UNITS.length - 1) {
    value /= STEP
    at += 1
  }
  return `${n(value, { maximumFractionDigits: at === 0 || value >= 100 ? 0 : 1 })} ${UNITS[at]}`
}

/** The endings of a file's name, for the dialog that asks where to write a copy. */
export function endingOf(name: string): string[] {
  const ending = /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]
  return ending ? [ending] : []
}
