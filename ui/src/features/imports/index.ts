import { FileInput } from '@lucide/vue'
import { defineFeature } from '@/app/feature'

export default defineFeature({
  name: 'imports',
  routes: [
    { path: '/imports', name: 'imports', meta: { title: 'imports.title', permission: 'import_run' }, component: () => import('./pages/ImportPage.vue') },
    { path: '/imports/:batch', name: 'imports.batch', meta: { title: 'imports.batch.title', permission: 'import_run' }, props: true, component: () => import('./pages/BatchPage.vue') },
  ],
  menu: [{ route: 'imports', label: 'imports.menu', icon: FileInput, order: 250, permission: 'import_run' }],
})
