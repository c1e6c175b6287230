import type { RouteRecordNormalized } from 'vue-router'
import { menu } from './feature'
import { router } from './router'

/** Long enough that the log-in page has been painted and takes keys. */
const AFTER_PAINT_MS = 50

function codeOf(record: RouteRecordNormalized): Promise<unknown>[] {
  return Object.values(record.components ?? {}).map((component) =>
    // A page's component is a function that fetches it, until it has been fetched once.
    typeof component === 'function' && component.length === 0 ? Promise.resolve((component as () => unknown)()) : Promise.resolve(),
  )
}

/**
 * Fetches and reads the code of what follows the log-in while the password is being typed: the shell, and the page that
 * the address names (without one, the first of the menu). A failure is left to the moment when the page is opened.
 */
export function readAhead(shell: () => Promise<unknown>): void {
  setTimeout(() => {
    const named = router.currentRoute.value.name
    const page = named && named !== 'home' ? router.currentRoute.value : router.resolve({ name: menu[0]?.route ?? 'home' })
    void Promise.allSettled([shell(), ...page.matched.flatMap(codeOf)])
  }, AFTER_PAINT_MS)
}
