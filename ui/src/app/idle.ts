import { backend } from '@/backend'

const SIGNS = ['keydown', 'pointerdown', 'wheel', 'pointermove'] as const
/** The core hears of activity at most this often. */
export const TOUCH_EVERY_MS = 30_000

export interface IdleOptions {
  /** Seconds without a sign of life until the screen locks. */
  idleSeconds: () => number
  /** True while somebody is logged in. */
  active: () => boolean
  lock: () => Promise<void>
  now?: () => number
}

/** Locks the screen after idle time, and tells the core of activity so that its own clock agrees. */
export function startIdleWatch(options: IdleOptions): () => void {
  const now = options.now ?? Date.now
  let lastSign = now()
  let lastTouch = now()
  let locking = false
  let wasActive = false

  function sign() {
    lastSign = now()
  }

  /** Tells of the last sign of life, late rather than never: the core's clock must not run out before this one. */
  function touch() {
    if (lastSign <= lastTouch || now() - lastTouch < TOUCH_EVERY_MS) return
    lastTouch = now()
    backend.call('session_touch', {}).catch(() => undefined)
  }

  async function tick() {
    const active = options.active()
    if (active && !wasActive) lastSign = lastTouch = now()
    wasActive = active
    if (active) touch()
    if (!active || locking || now() - lastSign < options.idleSeconds() * 1000) return
    locking = true
    await options.lock().catch(() => undefined)
    locking = false
  }

  for (const name of SIGNS) window.addEventListener(name, sign, { capture: true, passive: true })
  const timer = setInterval(() => void tick(), 1000)
  return () => {
    clearInterval(timer)
    for (const name of SIGNS) window.removeEventListener(name, sign, { capture: true })
  }
}
