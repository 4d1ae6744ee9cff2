import { onceMessage } from './channel.mjs'

onceMessage(() => {})
process.stdout.write('waiting\n')
