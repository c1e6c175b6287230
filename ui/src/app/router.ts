import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router'
import type { Permission } from '@/bindings/Permission'
import { features, menu } from './feature'
import { may } from './session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Needed to open the page. */
    permission?: Permission
    /** Locale key of the page's title, for the window title and the palette. */
    title?: string
  }
}

/** The first page of the menu that the user may open. */
export function homeRoute(): { name: string } {
  return { name: menu.find((entry) => may(entry.permission))?.route ?? 'nowhere' }
}

const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', redirect: () => homeRoute() },
  ...features.flatMap((feature) => feature.routes ?? []),
  { path: '/:rest(.*)*', name: 'nowhere', component: () => import('./shell/NowherePage.vue') },
]

// Hash addresses work the same under the desktop's own protocol and over HTTP.
export const router = createRouter({ history: createWebHashHistory(), routes })

router.beforeEach((to) => {
  if (to.meta.permission && !may(to.meta.permission)) return { name: 'nowhere', params: { rest: [] }, replace: true }
  return true
})
