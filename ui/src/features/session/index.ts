import { defineFeature } from '@/app/feature'

// Log-in, lock and first-run wizard stand outside the shell: App.vue shows them by the session's state.
export default defineFeature({
  name: 'session',
  routes: [
    {
      path: '/settings/account', name: 'settings.account', meta: { title: 'session.account.title' },
      component: () => import('./pages/AccountPage.vue'),
    },
  ],
})
