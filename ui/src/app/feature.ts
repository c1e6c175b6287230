import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'
import type { Permission } from '@/bindings/Permission'
import type { PaletteProvider } from '@/shared/palette/palette'

/** One line of the left navigation. */
export interface MenuEntry {
  /** Name of the route it opens. */
  route: string
  /** Locale key of its words. */
  label: string
  icon: Component
  /** Lower stands higher. Hundreds by area: 1xx the day's work, 2xx patients, 3xx content, 9xx settings. */
  order: number
  /** Shown only to users who have it. */
  permission?: Permission
}

/** What a feature adds to the application. */
export interface Feature {
  /** The feature's one word, the same in every layer. */
  name: string
  /** Pages; a route's `meta.permission` keeps others out. */
  routes?: RouteRecordRaw[]
  menu?: MenuEntry[]
  /** What Ctrl+K finds of this feature. */
  palette?: (PaletteProvider & { permission?: Permission })[]
}

/** Gives a feature's description its type. */
export function defineFeature(feature: Feature): Feature {
  return feature
}

const modules = import.meta.glob<{ default: Feature }>('../features/*/index.ts', { eager: true })

/** Every feature, found by its folder. */
export const features: Feature[] = Object.values(modules).map((module) => module.default)

/** The navigation in its order. */
export const menu: MenuEntry[] = features.flatMap((f) => f.menu ?? []).sort((a, b) => a.order - b.order)
