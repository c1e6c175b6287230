/** How good a password is, by length: length beats every rule about characters. 0 is too short, 3 is strong. */
export function strength(password: string, least: number): 0 | 1 | 2 | 3 {
  const length = Array.from(password).length
  const varied = new Set(Array.from(password)).size
  if (length < least || varied < 4) return 0
  if (length >= 16) return 3
  return length >= 12 ? 2 : 1
}

/** A recovery code as it is compared: case, spaces and dashes do not matter, and O, I and L are what people write for 0 and 1. */
export function plainCode(code: string): string {
  return code.toUpperCase().replace(/[^0-9A-Z]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
}

/** Seconds from `now` until a lock-out ends; 0 when it is over. Both in milliseconds. */
export function secondsLeft(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / 1000))
}

/** 272 → `4:32`. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
