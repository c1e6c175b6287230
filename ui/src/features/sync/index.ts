import { defineFeature } from '@/app/feature'
import { findSync } from './palette'

export default defineFeature({
  name: 'sync',
  routes: [{ path: '/settings/sync', name: 'settings.sync', meta: { title: 'sync.title' }, component: () => import('./pages/SyncPage.vue') }],
  palette: [{ id: 'sync', title: 'sync.title', order: 55, search: findSync }],
})
