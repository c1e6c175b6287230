import { Users } from '@lucide/vue'
import { defineFeature } from '@/app/feature'
import { findPatients } from './palette'

export default defineFeature({
  name: 'archive',
  routes: [
    {
      path: '/patients', name: 'archive.find', meta: { title: 'archive.find.title', permission: 'archive_read' },
      component: () => import('./pages/FindPage.vue'),
    },
    {
      path: '/patients/new', name: 'archive.new', meta: { title: 'archive.new.title', permission: 'archive_write' },
      component: () => import('./pages/NewPatientPage.vue'),
    },
    {
      path: '/patients/duplicates', name: 'archive.duplicates', meta: { title: 'archive.duplicates.title', permission: 'archive_read' },
      component: () => import('./pages/DuplicatesPage.vue'),
    },
    {
      path: '/patients/:id', name: 'archive.patient', meta: { title: 'archive.patient.title', permission: 'archive_read' }, props: true,
      component: () => import('./pages/PatientPage.vue'),
    },
  ],
  palette: [{ id: 'patients', title: 'archive.palette', order: 10, permission: 'archive_read', search: findPatients }],
  menu: [{ route: 'archive.find', label: 'archive.menu', icon: Users, order: 200, permission: 'archive_read' }],
})
