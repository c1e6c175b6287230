import { createApp } from 'vue'
import { VueQueryPlugin } from '@tanstack/vue-query'
import '@/shared/design/tokens.css'
import '@/shared/design/base.css'
import App from './App.vue'
import { startAppearance } from './appearance'
import { startDraftFlushing } from './drafts'
import { i18n } from './i18n'
import { queryClient, startInvalidation } from './query'
import { router } from './router'
import { startSession } from './session'
import { startShortcuts } from '@/shared/keys/shortcuts'

const words = startAppearance()
startDraftFlushing()
startInvalidation()
startShortcuts()
startSession()

// The router goes to its first page while the words come.
const app = createApp(App).use(i18n).use(router).use(VueQueryPlugin, { queryClient })
void words.then(() => app.mount('#app'))
