import { CalendarCheck2, ChartColumn, Sunrise } from '@lucide/vue'
import { defineFeature } from '@/app/feature'

export default defineFeature({
  name: 'reports',
  routes: [
    { path: '/today', name: 'reports.today', meta: { title: 'reports.today.title', permission: 'report_read' }, component: () => import('./pages/TodayPage.vue') },
    { path: '/reports', name: 'reports.figures', meta: { title: 'reports.title', permission: 'report_read' }, component: () => import('./pages/ReportsPage.vue') },
    { path: '/reports/month', name: 'reports.month', meta: { title: 'month.title', permission: 'report_read' }, component: () => import('./pages/MonthPage.vue') },
  ],
  menu: [
    { route: 'reports.today', label: 'reports.today.title', icon: Sunrise, order: 100, permission: 'report_read' },
    { route: 'reports.figures', label: 'reports.menu', icon: ChartColumn, order: 350, permission: 'report_read' },
    { route: 'reports.month', label: 'month.menu', icon: CalendarCheck2, order: 352, permission: 'report_read' },
  ],
})
