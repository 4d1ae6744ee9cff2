// Sends more than a pipe holds, prints text without a line end, and exits with code 7 once everything was sent.
import { onceMessage, send } from './channel.mjs'

onceMessage(({ token }) => {
  const COUNT = 50
  for (let n = 0; n < COUNT; n++) {
    process.stdout.write(`out ${n}\n`)
    process.stderr.write(`err ${n}\n`)
    const message = { token, type: 'warning', message: `${n} ${'x'.repeat(20_000)}` }
    send(message)
  }
  process.stdout.write('last words', () => process.exit(7))
})
