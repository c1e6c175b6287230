/** Characters of a one-time code, and where the mark of the server's certificate stands in it. */
const LENGTH = 25
const MARK = [10, 24] as const

/** A code as it counts: capitals, no spaces and dashes, what looks alike made one. Full-width letters are what an input method left behind. */
export function plainCode(typed: string): string {
  return typed.normalize('NFKC').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1').replace(/[^0-9A-Z]/g, '')
}

/** True when nothing is missing; whether it was mistyped the core finds out. */
export function isWhole(typed: string): boolean {
  return plainCode(typed).length === LENGTH
}

/** The beginning of the fingerprint of the server for which the code was made; empty while the code is not whole. */
export function serverMark(typed: string): string {
  return isWhole(typed) ? plainCode(typed).slice(...MARK).replace(/(.{5})(?=.)/g, '$1 ') : ''
}
