import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [
    vue(),
    // Element Plus tags (<el-button>) are imported with their styles where a template uses them.
    // Their types come from element-plus/global, so no generated file is needed.
    Components({ dirs: [], dts: false, resolvers: [ElementPlusResolver({ importStyle: 'css', directives: false })] }),
  ],
  resolve: { alias: { '@': here('./src'), '@locales': here('../assets/locales') } },
  define: {
    __VUE_OPTIONS_API__: true,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  clearScreen: false,
  server: { port: 5173, strictPort: true, fs: { allow: [here('..')] } },
  build: {
    outDir: 'dist',
    // WebKitGTK of Debian 12 and of UOS/Kylin, WebView2 on Windows 10.
    target: ['chrome109', 'safari16'],
    cssTarget: ['chrome109', 'safari16'],
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    // Element Plus ships untranspiled style imports; its first import takes seconds.
    server: { deps: { inline: ['element-plus', /element-plus/] } },
    testTimeout: 30_000,
    css: false,
  },
})
