// Writes an item per millisecond to `poolrun imap` and waits for its result. Prints the time in milliseconds within which so
// many per cent of the results have arrived. Arguments: percentage, number of items, the command.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

const [percent, count, command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
const written = []
const times = []
const done = (async () => {
  for await (const line of createInterface({ input: child.stdout }))
    times.push(performance.now() - written[line])
})()
// The first ones wait for the start.
const WARM_UP = 200
for (let n = 0; n < WARM_UP + Number(count); n++) {
  if (n === WARM_UP) while (times.length < WARM_UP) await setTimeout(5)
  written[n] = performance.now()
  child.stdin.write(`${n}\n`)
  await setTimeout(1)
}
child.stdin.end()
await done
const measured = times.slice(WARM_UP).sort((a, b) => a - b)
if (measured.length !== Number(count)) throw new Error(`${measured.length} results`)
console.log(measured[Math.floor((measured.length * percent) / 100)])
