import { createRouter, createWebHashHistory, type RouteLocationRaw, type RouteRecordRaw, type RouterHistory } from 'vue-router'
import type { Permission } from '@/bindings/Permission'
import { features, menu } from './feature'
import { isOpen, may } from './session'

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
  { path: '/', name: 'home', component: { render: () => null } },
  ...features.flatMap((feature) => feature.routes ?? []),
  { path: '/:rest(.*)*', name: 'nowhere', component: () => import('./shell/NowherePage.vue') },
]

/**
 * Where an address leads somebody else than it says: the first page's own address, and pages without the right to them.
 * While nobody is logged in no page is shown, and the address is kept for whoever logs in.
 */
export function detour(to: { name?: unknown; meta: { permission?: Permission } }): RouteLocationRaw | null {
  if (!isOpen()) return null
  if (to.name === 'home') return { ...homeRoute(), replace: true }
  if (to.meta.permission && !may(to.meta.permission)) return { name: 'nowhere', params: { rest: ['no-right'] }, replace: true }
  return null
}

/** The product's routes on a history. */
export function makeRouter(history: RouterHistory) {
  const made = createRouter({ history, routes })
  made.beforeEach((to) => detour(to) ?? true)
  return made
}

// Hash addresses work the same under the desktop's own protocol and over HTTP.
export const router = makeRouter(createWebHashHistory())
