import { messagesOf } from './messages'

export default messagesOf(
  // Words of the window's shell, of the command line and of the server are for those programs.
  import.meta.glob(['../../../../assets/locales/zh-CN/*.json', '!**/shell.json', '!**/cli.json', '!**/installer.json', '!**/server*.json'], {
    eager: true,
    import: 'default',
  }),
)
