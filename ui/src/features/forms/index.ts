import { ClipboardList } from '@lucide/vue'
import { defineFeature } from '@/app/feature'
import { findPlans } from './palette'

export default defineFeature({
  name: 'forms',
  routes: [
    {
      path: '/plans', name: 'forms.plans', meta: { title: 'forms.list.title', permission: 'forms_read' },
      component: () => import('./pages/PlansPage.vue'),
    },
    {
      path: '/plans/:code', name: 'forms.plan', meta: { title: 'forms.plan.title', permission: 'forms_read' }, props: true,
      component: () => import('./pages/PlanPage.vue'),
    },
    {
      path: '/plans/:code/edit', name: 'forms.edit', meta: { title: 'forms.edit.title', permission: 'forms_edit' }, props: true,
      component: () => import('./pages/PlanEditPage.vue'),
    },
  ],
  palette: [{ id: 'plans', title: 'forms.menu', order: 30, permission: 'forms_read', search: findPlans }],
  menu: [{ route: 'forms.plans', label: 'forms.menu', icon: ClipboardList, order: 310, permission: 'forms_read' }],
})
