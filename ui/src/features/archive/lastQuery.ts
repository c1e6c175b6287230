import { ref } from 'vue'

/** What was typed last: it is still there when the person comes back from a record. Forgotten with the window. */
export const lastQuery = ref('')
