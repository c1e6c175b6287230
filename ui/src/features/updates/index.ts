import { defineFeature } from '@/app/feature'

export default defineFeature({
  name: 'updates',
  routes: [{ path: '/settings/updates', name: 'settings.updates', meta: { title: 'updates.title' }, component: () => import('./pages/UpdatesPage.vue') }],
})
