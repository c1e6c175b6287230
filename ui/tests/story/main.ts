import { createApp } from 'vue'
import { createRouter, createWebHashHistory } from 'vue-router'
import '@/shared/design/tokens.css'
import '@/shared/design/base.css'
import { startAppearance } from '@/app/appearance'
import { i18n } from '@/app/i18n'
import { startShortcuts } from '@/shared/keys/shortcuts'
import ComponentStory from './ComponentStory.vue'

const words = startAppearance()
startShortcuts()
const router = createRouter({ history: createWebHashHistory(), routes: [{ path: '/:rest(.*)*', name: 'any', component: ComponentStory }] })
void words.then(() => createApp(ComponentStory).use(i18n).use(router).mount('#app'))
