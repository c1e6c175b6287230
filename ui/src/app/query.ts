import { QueryClient } from '@tanstack/vue-query'
import { backend } from '@/backend'

/** The one cache of what the core answered. Keys start with the feature's name: `['archive', 'patient', id]`. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The core is on this PC: being off line changes nothing, and a failed call fails again at once.
      networkMode: 'always',
      retry: false,
      refetchOnWindowFocus: false,
      staleTime: Infinity,
      gcTime: 5 * 60_000,
    },
    mutations: { networkMode: 'always', retry: false },
  },
})

/** Refetches what a change touches. Open forms hold their own draft and are not touched by it. */
export function startInvalidation(client: QueryClient = queryClient, source = backend): () => void {
  return source.on('changed', ({ features }) => {
    for (const feature of features) void client.invalidateQueries({ queryKey: [feature] })
  })
}
