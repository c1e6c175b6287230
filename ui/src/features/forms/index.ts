import { ClipboardList } from '@lucide/vue'
import type { RouteLocationNormalized } from 'vue-router'
import { defineFeature } from '@/app/feature'
import type { DocumentKind } from './document'
import { findPlans } from './palette'

/** Plans and questionnaires have the same pages; `from` names what a new one begins as. */
const of = (kind: DocumentKind) => (route: RouteLocationNormalized) => ({ kind, code: String(route.params.code), from: String(route.query.from ?? '') })

export default defineFeature({
  name: 'forms',
  routes: [
    {
      path: '/plans', name: 'forms.plans', meta: { title: 'forms.list.title', permission: 'forms_read' },
      component: () => import('./pages/PlansPage.vue'),
    },
    {
      path: '/plans/:code', name: 'forms.plan', meta: { title: 'forms.plan.title', permission: 'forms_read' }, props: of('plan'),
      component: () => import('./pages/PlanPage.vue'),
    },
    {
      path: '/plans/:code/edit', name: 'forms.edit', meta: { title: 'forms.edit.title', permission: 'forms_edit' }, props: of('plan'),
      component: () => import('./pages/PlanEditPage.vue'),
    },
    {
      path: '/questionnaires/:code', name: 'forms.questionnaire', meta: { title: 'forms.plan.questionnaire', permission: 'forms_read' }, props: of('questionnaire'),
      component: () => import('./pages/PlanPage.vue'),
    },
    {
      path: '/questionnaires/:code/edit', name: 'forms.questionnaire.edit', meta: { title: 'forms.edit.title_questionnaire', permission: 'forms_edit' }, props: of('questionnaire'),
      component: () => import('./pages/PlanEditPage.vue'),
    },
  ],
  palette: [{ id: 'plans', title: 'forms.menu', order: 30, permission: 'forms_read', search: findPlans }],
  menu: [{ route: 'forms.plans', label: 'forms.menu', icon: ClipboardList, order: 310, permission: 'forms_read' }],
})
