import { BellRing, MessageCircleQuestion, PhoneCall } from '@lucide/vue'
import { defineFeature } from '@/app/feature'

export default defineFeature({
  name: 'followup',
  routes: [
    {
      path: '/followup/:patient?', name: 'followup', meta: { title: 'followup.title', permission: 'followup_work' },
      component: () => import('./pages/WorklistPage.vue'),
    },
    {
      path: '/alerts/:alert?', name: 'followup.alerts', meta: { title: 'followup.alerts.title', permission: 'followup_work' },
      component: () => import('./pages/AlertsPage.vue'),
    },
    {
      path: '/consults/:consult?', name: 'followup.consults', meta: { title: 'followup.inbox.title', permission: 'expert_reply' },
      component: () => import('./pages/InboxPage.vue'),
    },
    {
      path: '/slip/:kind(consult|call)/:id', name: 'followup.slip', meta: { title: 'followup.slip.title', permission: 'followup_read' },
      component: () => import('./pages/SlipPage.vue'),
    },
  ],
  menu: [
    { route: 'followup', label: 'followup.menu', icon: PhoneCall, order: 110, permission: 'followup_work' },
    { route: 'followup.alerts', label: 'followup.alerts.menu', icon: BellRing, order: 120, permission: 'followup_work' },
    { route: 'followup.consults', label: 'followup.inbox.menu', icon: MessageCircleQuestion, order: 130, permission: 'expert_reply' },
  ],
})
