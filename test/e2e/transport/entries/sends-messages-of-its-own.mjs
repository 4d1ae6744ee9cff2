import { onceMessage, send } from './channel.mjs'

onceMessage(({ token }) => {
  for (const message of ['text', 5, null, { type: 'ready' }, { token: 'wrong', type: 'ready' }]) send(message)
  send({ token, type: 'ready', exports: {} })
  process.exit(0)
})
