// Jobs that break the process they run in: results are intact, the run ends, and no process is left.
import { describe, expect, it } from 'vitest'
import { fixture, lines, runCli } from '../../helpers/run-cli.js'
import { counts } from './support.js'

const ITEMS = [...Array(8).keys()]
const spawnStubborn = (stdio: string) =>
  `process.getBuiltinModule('child_process').spawn('sh', ['-c', 'trap "" TERM INT HUP; sleep 600 & wait'], { stdio: '${stdio}' })`

describe('every item has its own result, even if the job runs', () => {
  it.each([
    'JSON.stringify = () => \'"forged"\'',
    'Object.defineProperty(Object.prototype, "toJSON", { value: () => "forged" })',
    'Object.prototype.then = (resolve) => resolve("forged")',
    'Promise.prototype.then = nothing',
    'globalThis.Error = nothing',
    'Object.keys = nothing',
    'performance.now = nothing',
    'delete globalThis.TextEncoder; delete globalThis.setImmediate; delete globalThis.queueMicrotask',
    'for (const name of ["send", "exit", "kill", "memoryUsage", "hrtime", "cwd", "on"]) process[name] = nothing',
    'process.stdout.write = nothing',
    'process.removeAllListeners()',
    'process.channel.unref()',
    'process.chdir("/")',
    'process.getBuiltinModule("fs").writeSync(1, \'{"index":0}\\n\')',
    'for (const fd of [0, 1, 2]) process.getBuiltinModule("fs").closeSync(fd)',
    'for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(name, nothing)',
    'process.on("uncaughtException", nothing).on("unhandledRejection", nothing)',
    'process.on("exit", () => { for (;;); })',
    'setInterval(nothing, 1000)',
    spawnStubborn('inherit'),
    spawnStubborn('ignore'),
  ])('%s', async (code) => {
    const flags = [
      '-j',
      '1',
      '--chunk-size',
      '3',
      '--kill-after',
      '500ms',
      '--init-args',
      JSON.stringify([code]),
    ]
    const run = await runCli(['collect', fixture('runs-given-code'), ...flags], { input: lines(...ITEMS) })
    expect(run.stdout, run.stderr).toBe(lines(...ITEMS))
    expect(counts(run)).toEqual({ ok: 8, failed: 0, cancelled: 0, notRun: 0 })
    expect(run.exitCode).toBe(0)
  })
})
