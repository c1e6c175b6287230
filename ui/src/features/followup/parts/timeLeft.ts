/** Time until a deadline, in the unit that people would say. */
export interface TimeLeft {
  over: boolean
  unit: 'minutes' | 'hours' | 'days'
  count: number
}

/** How long is left until `due`, or how long it is over. */
export function timeLeft(due: number, now: number): TimeLeft {
  const minutes = Math.floor(Math.abs(due - now) / 60_000)
  const over = due < now
  if (minutes < 90) return { over, unit: 'minutes', count: minutes }
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? { over, unit: 'hours', count: hours } : { over, unit: 'days', count: Math.floor(hours / 24) }
}
