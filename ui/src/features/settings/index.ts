import { Settings } from '@lucide/vue'
import type { RouteRecordRaw } from 'vue-router'
import { defineFeature } from '@/app/feature'
import type { Permission } from '@/bindings/Permission'

type Page = NonNullable<RouteRecordRaw['component']>

/** A page of the settings: its word is path, route and title. */
function page(name: string, component: Page, permission?: Permission): RouteRecordRaw {
  return { path: `/settings/${name}`, name: `settings.${name}`, meta: { title: `settings.${name}.title`, permission }, component }
}

export default defineFeature({
  name: 'settings',
  routes: [
    { path: '/settings', name: 'settings', redirect: { name: 'settings.appearance' } },
    page('appearance', () => import('./pages/AppearancePage.vue')),
    page('calling', () => import('./pages/CallingPage.vue'), 'settings_edit'),
    page('security', () => import('./pages/SecurityPage.vue'), 'settings_edit'),
    page('people', () => import('./pages/PeoplePage.vue'), 'staff_edit'),
    page('calendar', () => import('./pages/CalendarPage.vue'), 'settings_edit'),
    page('backup', () => import('./pages/BackupPage.vue'), 'backup'),
    page('audit', () => import('./pages/AuditPage.vue'), 'audit_verify'),
  ],
  menu: [{ route: 'settings', label: 'settings.menu', icon: Settings, order: 950 }],
})
