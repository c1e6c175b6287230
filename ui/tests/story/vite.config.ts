import { fileURLToPath, URL } from 'node:url'
import { defineConfig, mergeConfig } from 'vite'
import base from '../../vite.config'

// The page of components, for looking at them. Built beside the product, never into it.
export default mergeConfig(
  base as object,
  defineConfig({ root: fileURLToPath(new URL('.', import.meta.url)), build: { outDir: 'dist', emptyOutDir: true } }),
)
