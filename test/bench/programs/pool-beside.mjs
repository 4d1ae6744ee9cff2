// Times `apply` of 1 ms, every 10 ms, while a `map` of 3,000 items of 2 ms runs. Prints the time, in milliseconds, within
// which so many per cent of the calls have ended.
import { setTimeout } from 'node:timers/promises'
import { Pool } from 'poolrun'

const percent = Number(process.argv[2])
const pool = new Pool(new URL('./spin-ms.mjs', import.meta.url), { processes: 2 })
await pool.map('forMs', [1, 1, 1, 1])
let isRunning = true
const batch = pool.map('forMs', Array(3000).fill(2)).then(() => {
  isRunning = false
})
await setTimeout(200)
const times = []
while (isRunning) {
  const began = performance.now()
  await pool.apply('forMs', [1])
  if (isRunning) times.push(performance.now() - began)
  await setTimeout(10)
}
await batch
times.sort((a, b) => a - b)
console.log(times[Math.floor((times.length * percent) / 100)])
await pool.terminate()
