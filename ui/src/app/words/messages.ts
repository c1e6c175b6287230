export type Tree = { [key: string]: string | Tree }

/** `{"login": {"title": "…"}}` of session.json becomes `session.login.title`, so look-ups are one step. */
export function flatten(prefix: string, tree: Tree, into: Record<string, string> = {}): Record<string, string> {
  for (const [key, value] of Object.entries(tree)) {
    const path = `${prefix}.${key}`
    if (typeof value === 'string') into[path] = value
    else flatten(path, value, into)
  }
  return into
}

/** One language's words, of its files by path. */
export function messagesOf(files: Record<string, unknown>): Record<string, string> {
  const messages: Record<string, string> = {}
  for (const [path, tree] of Object.entries(files)) {
    const [, name] = /\/([^/]+)\.json$/.exec(path) ?? []
    if (name) flatten(name, tree as Tree, messages)
  }
  return messages
}
