import { defineFeature } from '@/app/feature'

// Log-in, lock and first-run wizard stand outside the shell (App.vue shows them by the session's state): no routes.
export default defineFeature({ name: 'session' })
