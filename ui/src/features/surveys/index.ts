import { Smile } from '@lucide/vue'
import { defineFeature } from '@/app/feature'
import { findSurveys } from './palette'

export default defineFeature({
  name: 'surveys',
  routes: [
    {
      path: '/surveys', name: 'surveys', meta: { title: 'surveys.title', permission: 'survey_read' },
      component: () => import('./pages/ResultsPage.vue'),
    },
    {
      path: '/surveys/rounds', name: 'surveys.rounds', meta: { title: 'surveys.rounds.title', permission: 'survey_read' },
      component: () => import('./pages/RoundsPage.vue'),
    },
    {
      path: '/surveys/rounds/:id', name: 'surveys.round', meta: { title: 'surveys.rounds.title', permission: 'survey_work' }, props: true,
      component: () => import('./pages/RoundPage.vue'),
    },
    {
      path: '/surveys/paper', name: 'surveys.paper', meta: { title: 'surveys.paper.title', permission: 'survey_work' },
      component: () => import('./pages/PaperPage.vue'),
    },
    {
      path: '/surveys/screen', name: 'surveys.screen', meta: { title: 'surveys.screen.title', permission: 'survey_work' },
      component: () => import('./pages/ScreenPage.vue'),
    },
  ],
  palette: [{ id: 'surveys', title: 'surveys.palette.title', order: 30, permission: 'survey_read', search: findSurveys }],
  menu: [{ route: 'surveys', label: 'surveys.menu', icon: Smile, order: 150, permission: 'survey_read' }],
})
