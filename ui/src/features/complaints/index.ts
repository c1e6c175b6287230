import { MessageSquareWarning } from '@lucide/vue'
import { defineFeature } from '@/app/feature'
import { findComplaints } from './palette'

export default defineFeature({
  name: 'complaints',
  routes: [
    {
      path: '/complaints', name: 'complaints', meta: { title: 'complaints.title', permission: 'complaint_read' },
      component: () => import('./pages/BoardPage.vue'),
    },
    {
      path: '/complaints/new', name: 'complaints.new', meta: { title: 'complaints.register.title', permission: 'complaint_work' },
      component: () => import('./pages/RegisterPage.vue'),
    },
    {
      path: '/complaints/:id', name: 'complaints.one', meta: { title: 'complaints.one.title', permission: 'complaint_read' }, props: true,
      component: () => import('./pages/ComplaintPage.vue'),
    },
    {
      path: '/complaints/:id/dossier', name: 'complaints.dossier', meta: { title: 'complaints.dossier.title', permission: 'complaint_read' }, props: true,
      component: () => import('./pages/DossierPage.vue'),
    },
  ],
  palette: [{ id: 'complaints', title: 'complaints.palette.title', order: 20, permission: 'complaint_read', search: findComplaints }],
  menu: [{ route: 'complaints', label: 'complaints.menu', icon: MessageSquareWarning, order: 140, permission: 'complaint_read' }],
})
