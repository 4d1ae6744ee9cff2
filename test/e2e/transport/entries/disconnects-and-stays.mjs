import { closeSync } from 'node:fs'

setInterval(() => {}, 60_000)
closeSync(4)
