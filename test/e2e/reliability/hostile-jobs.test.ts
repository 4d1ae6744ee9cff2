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
    'globalThis.performance = undefined; globalThis.setTimeout = globalThis.setImmediate = nothing',
    'Promise.resolve = nothing; globalThis.Promise = nothing',
    'globalThis.process = globalThis.Buffer = globalThis.Map = globalThis.JSON = globalThis.Uint8Array = undefined',
    'process.emit = nothing',
    'process.nextTick = nothing',
    'process.removeAllListeners("message").removeAllListeners("disconnect")',
    'process.getBuiltinModule("fs").writeSync = process.getBuiltinModule("v8").serialize = nothing',
    'for (const name of Object.getOwnPropertyNames(Buffer)) if (typeof Buffer[name] === "function") Buffer[name] = nothing',
    'JSON.parse = JSON.stringify = Math.min = Math.max = Math.floor = Math.abs = Atomics.wait = Atomics.store = nothing',
    'Object.keys = Object.entries = Object.assign = Object.fromEntries = Object.is = Object.getPrototypeOf = nothing',
    'Array.isArray = Array.from = Number.isInteger = Number.isSafeInteger = Number.isFinite = nothing',
    'Promise.all = Promise.race = Promise.reject = Promise.allSettled = nothing',
    'const { push } = Array.prototype; Array.prototype.push = function (...parts) { return push.apply(this, parts) }',
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
    const run = await runCode(code)
    expect(run.stdout, run.stderr).toBe(lines(...ITEMS))
    expect(counts(run)).toEqual({ ok: 8, failed: 0, cancelled: 0, notRun: 0 })
    expect(run.exitCode).toBe(0)
  })
})

describe('the item fails, alone and with the reason, that', () => {
  const fs = 'process.getBuiltinModule("fs")'
  const spawn = 'process.getBuiltinModule("child_process").spawn'
  const forever = 'return new Promise(() => setInterval(nothing, 1000))'
  /** From another process, where nothing of the worker's own can notice it. */
  const written = (fd: number, bytes: string) =>
    `${spawn}("sh", ["-c", "printf '${bytes}' >&${fd}"], { stdio: [0, 1, 2, 3, 4, 5] }); ${forever}`
  const LOST = /WorkerLostError: item 1 lost: worker 0 \(pid \d+\) /
  const CALLED = / with descriptor \d, the channel between the worker and poolrun/
  const WRITTEN =
    /was killed by SIGKILL .*\(the job had written to the channel between the worker and poolrun\)/
  const EXITED = /exited with code 1 .*\n.*the job ended the process:\n/s

  it.each<[code: string, reason: RegExp]>([
    [`${fs}.writeSync(4, Buffer.from([0x80, 0, 0, 0]))`, CALLED],
    [`${fs}.writeSync(5, "x")`, CALLED],
    [`${fs}.write(4, Buffer.alloc(100), nothing)`, CALLED],
    [`${fs}.writevSync(4, [Buffer.alloc(100)])`, CALLED],
    [`${fs}.createWriteStream("", { fd: 4 }).write("x"); ${forever}`, CALLED],
    [`${fs}.closeSync(4)`, CALLED],
    [`new (process.getBuiltinModule("net").Socket)({ fd: 4 }).write("x"); ${forever}`, WRITTEN],
    [written(4, '\\\\200\\\\000\\\\000\\\\000'), WRITTEN],
    [written(4, '\\\\000\\\\000\\\\001\\\\000\\\\377\\\\017'), WRITTEN],
    [written(5, '{}'), WRITTEN],
    ['process.disconnect()', /was killed by SIGKILL .*\n.*the job ended the process:\n/s],
    ['process.on("exit", () => { throw new Error("in a listener") }); process.exit(1)', EXITED],
    [
      'process.on("exit", () => { for (;;); }); process.exit(1)',
      /was killed by SIGKILL .*\n.*the job ended the process:\n/s,
    ],
    [
      'process.on("exit", () => { throw new Error("in a listener") }); setTimeout(() => { throw new Error("late") }); ' +
        forever,
      /Error: late\n/,
    ],
  ])('%s', async (code, reason) => {
    const run = await runCode(code)
    expect(run.stdout, run.stderr).toBe(lines(...ITEMS.filter((item) => item !== 1)))
    expect(run.stderr).toMatch(LOST)
    expect(run.stderr).toMatch(reason)
    expect(counts(run)).toEqual({ ok: 7, failed: 1, cancelled: 0, notRun: 0 })
    expect(run.exitCode).toBe(3)
  })
})

describe('the item fails, alone and with the reason, that replaces, so that it does not work any more,', () => {
  const items = [...Array(2000).keys()]
  const iterator = 'Object.getPrototypeOf([].values())'
  const early = { name: 'default', item: 1 }
  const withoutPromise = { name: 'sync', item: 1 }
  /** One of many cheap items. */
  const late = { name: 'sync', item: 1000 }

  it.each<[code: string, broken: string, where: { name: string; item: number }]>([
    ['Array.prototype.push = nothing', 'Array.prototype.push', early],
    ['Array.prototype.push = () => { throw new Error() }', 'Array.prototype.push', withoutPromise],
    ['Array.prototype.push = nothing', 'Array.prototype.push', late],
    ['Array.prototype[Symbol.iterator] = function* () {}', 'Array.prototype[Symbol.iterator]', early],
    ['Array.prototype[Symbol.iterator] = function* () {}', 'Array.prototype[Symbol.iterator]', late],
    [`${iterator}.next = nothing`, 'Array.prototype[Symbol.iterator]', withoutPromise],
    [`${iterator}.next = nothing`, 'Array.prototype[Symbol.iterator]', late],
    [
      'for (const name of ["map", "filter", "shift"]) Array.prototype[name] = nothing',
      'Array.prototype.shift',
      late,
    ],
    ['String.prototype.slice = String.prototype.indexOf = nothing', 'String.prototype.slice', early],
    ['String.prototype.slice = String.prototype.indexOf = nothing', 'String.prototype.slice', late],
    ['Function.prototype.call = nothing', 'Function.prototype.call', withoutPromise],
    ['Function.prototype.call = nothing', 'Function.prototype.call', late],
    ['Map.prototype.get = nothing', 'Map.prototype', early],
    ['Map.prototype.get = nothing', 'Map.prototype', late],
  ])('%s, of %s, by %o', async (code, broken, { name, item }) => {
    const job = [`${fixture('runs-given-code')}#${name}`, '--init-args', JSON.stringify([code, item])]
    const run = await runCli(['collect', ...job, '-j', '1'], { input: lines(...items) })
    expect(run.stdout, run.stderr).toBe(lines(...items.filter((other) => other !== item)))
    expect(run.stderr).toContain(`Error: the job has replaced ${broken}, which does not work any more\n`)
    expect(run.stderr).toContain(`WorkerLostError: item ${item} lost`)
    expect(run.exitCode).toBe(3)
  })
})

describe('a worker that sends nothing', () => {
  it('is replaced within 10 s if it receives nothing any more and nothing runs', async () => {
    // More than it has received by then.
    const items = [...Array(1000).keys()]
    const deaf = 'for (const { _handle } of process._getActiveHandles()) _handle?.readStop?.()'
    const run = await runCode(`${deaf}; setInterval(nothing, 1000)`, items)
    expect(run.stdout, run.stderr).toBe(lines(...items))
    expect(run.exitCode).toBe(0)
  }, 30_000)

  it('is left alone while its item blocks, waits, or blocks after it has waited, for longer', async () => {
    const block = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 11_000)'
    const wait = 'return new Promise((resolve) => setTimeout(resolve, 11_000))'
    const both = `return new Promise(setImmediate).then(() => ${block})`
    for (const run of await Promise.all([block, wait, both].map((code) => runCode(code)))) {
      expect(run.stdout, run.stderr).toBe(lines(...ITEMS))
      // A second attempt would take it to 22 s.
      expect(run.stderr).toMatch(/^poolrun collect: 8 ok in 1\d s .*\n$/)
    }
  }, 30_000)
})

/** Item 1 runs the code in a worker that it shares with the others. */
function runCode(code: string, items: readonly number[] = ITEMS) {
  const flags = ['-j', '1', '--chunk-size', '3', '--kill-after', '500ms']
  const job = [fixture('runs-given-code'), '--init-args', JSON.stringify([code])]
  return runCli(['collect', ...job, ...flags], { input: lines(...items), timeoutMs: 25_000 })
}
