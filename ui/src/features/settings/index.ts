import { Settings } from '@lucide/vue'
import { defineFeature } from '@/app/feature'

export default defineFeature({
  name: 'settings',
  routes: [
    { path: '/settings', name: 'settings', redirect: { name: 'settings.appearance' } },
    {
      path: '/settings/appearance', name: 'settings.appearance', meta: { title: 'settings.appearance.title' },
      component: () => import('./pages/AppearancePage.vue'),
    },
  ],
  menu: [{ route: 'settings', label: 'settings.menu', icon: Settings, order: 950 }],
})
