// Jobs that break the process they run in: results are intact, the run ends, and no process is left.
import { describe, expect, it } from 'vitest'
import { occurrences } from '../../helpers/normalise.js'
import { fixture, lines, runCli } from '../../helpers/run-cli.js'
import { ascending, counts, failuresIn } from './support.js'

const ITEMS = [...Array(8).keys()]
/** Blocks and costs no processor time. */
const block = (ms?: number) => `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms})`
const spawnStubborn = (stdio: string) =>
  `process.getBuiltinModule('child_process').spawn('sh', ['-c', 'trap "" TERM INT HUP; sleep 600 & wait'], { stdio: '${stdio}' })`

it('every item has its own result, whatever the job replaces, closes or leaves behind', async () => {
  // Each list runs in a worker of its own: a code, eight items, the next code.
  const codes = [
    [
      'JSON.stringify = () => \'"forged"\'',
      'Object.defineProperty(Object.prototype, "toJSON", { value: () => "forged" })',
      'const { push } = Array.prototype; Array.prototype.push = function (...parts) { return push.apply(this, parts) }',
    ],
    ['Object.prototype.then = (resolve) => resolve("forged")'],
    [
      'Promise.all = Promise.race = Promise.reject = Promise.allSettled = nothing',
      'Promise.prototype.then = nothing',
      'Promise.resolve = nothing; globalThis.Promise = nothing',
    ],
    ['globalThis.Error = nothing'],
    [
      'Object.keys = nothing',
      'Array.isArray = Array.from = Number.isInteger = Number.isSafeInteger = Number.isFinite = nothing',
      'Object.keys = Object.entries = Object.assign = Object.fromEntries = Object.is = Object.getPrototypeOf = nothing',
    ],
    [
      'performance.now = nothing',
      'delete globalThis.TextEncoder; delete globalThis.setImmediate; delete globalThis.queueMicrotask',
      'globalThis.performance = undefined; globalThis.setTimeout = globalThis.setImmediate = nothing',
    ],
    [
      'globalThis.process = globalThis.Buffer = globalThis.Map = globalThis.JSON = globalThis.Uint8Array = undefined',
    ],
    ['process.emit = nothing', 'process.nextTick = nothing'],
    [
      'for (const name of ["send", "exit", "kill", "memoryUsage", "hrtime", "cwd", "on"]) process[name] = nothing',
    ],
    [
      'process.removeAllListeners("message").removeAllListeners("disconnect")',
      'process.removeAllListeners()',
    ],
    [
      'process.getBuiltinModule("fs").writeSync = process.getBuiltinModule("v8").serialize = nothing',
      'for (const name of Object.getOwnPropertyNames(Buffer)) if (typeof Buffer[name] === "function") Buffer[name] = nothing',
      'JSON.parse = JSON.stringify = Math.min = Math.max = Math.floor = Math.abs = Atomics.wait = Atomics.store = nothing',
    ],
    [
      'process.chdir("/")',
      'process.getBuiltinModule("fs").writeSync(1, \'{"index":0}\\n\')',
      'process.stdout.write = nothing',
    ],
    ['process.channel.unref()'],
    ['for (const fd of [0, 1, 2]) process.getBuiltinModule("fs").closeSync(fd)'],
    ['for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(name, nothing)'],
    ['process.on("uncaughtException", nothing).on("unhandledRejection", nothing)'],
    [`process.on("exit", () => ${block()})`],
    ['setInterval(nothing, 1000)'],
    [spawnStubborn('inherit')],
    [spawnStubborn('ignore')],
  ].flatMap((list) => [...list, '', '', ''].slice(0, 3))
  const flags = ['--chunk-size', '3', '--max-tasks-per-child', '27']
  const { run, items } = await runCodes(fixture('runs-given-code'), codes, { size: 9, at: 1, flags })
  const results = run.stdout.split('\n')
  const byCode = (all: readonly string[]) => codes.map((code, i) => [code, all.slice(i * 9, (i + 1) * 9)])
  expect(byCode(results), run.stderr).toEqual(byCode(items.map(String)))
  expect(run.stdout).toBe(lines(...items))
  expect(counts(run)).toEqual({ ok: items.length, failed: 0, cancelled: 0, notRun: 0 })
  expect(run.exitCode).toBe(0)
}, 100_000)

it('a worker goes on with its own functions, whatever the job puts in the place of others', async () => {
  const codes = [
    'for (const name of Object.getOwnPropertyNames(Math)) if (typeof Math[name] === "function") Math[name] = nothing',
    'for (const name of Object.getOwnPropertyNames(Atomics)) if (typeof Atomics[name] === "function") Atomics[name] = nothing',
    'JSON.parse = JSON.stringify = process.hrtime = performance.now = Date.now = nothing',
  ]
  const flags = ['--chunk-size', '3', '--debug']
  const { run, items } = await runCodes(fixture('runs-given-code'), codes, { size: 9, at: 1, flags })
  expect(run.stdout, run.stderr).toBe(lines(...items))
  expect(occurrences(run.stderr, ' started'), run.stderr).toBe(1)
})

it('an item that ends its worker, or breaks the channel to it, fails alone and with the reason', async () => {
  const fs = 'process.getBuiltinModule("fs")'
  const spawn = 'process.getBuiltinModule("child_process").spawn'
  const forever = 'return new Promise(() => setInterval(nothing, 1000))'
  /** From another process, where nothing of the worker's own can notice it. */
  const written = (fd: number, bytes: string) =>
    `${spawn}("sh", ["-c", "printf '${bytes}' >&${fd}"], { stdio: [0, 1, 2, 3, 4, 5] }); ${forever}`
  const CALLED = / with descriptor \d, the channel between the worker and poolrun/
  const WRITTEN =
    /was killed by SIGKILL .*\(the job had written to the channel between the worker and poolrun\)/
  const EXITED = /exited with code 1 .*\n.*the job ended the process:\n/s

  const reasons: readonly (readonly [code: string, reason: RegExp])[] = [
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
  ]
  const { run, items, chosen } = await runCodes(
    fixture('runs-given-code'),
    reasons.map(([code]) => code),
    { size: 9, at: 1, flags: ['--chunk-size', '3', '--max-worker-restarts', 'none'] },
  )
  expect(run.stdout, run.stderr).toBe(lines(...items.filter((item) => !chosen.includes(item))))
  const failures = failuresIn(run.stderr)
  expect(ascending([...failures.keys()])).toEqual(chosen)
  for (const [i, [code, reason]] of reasons.entries()) {
    const text = failures.get(chosen[i]!)
    expect(text, code).toContain(`WorkerLostError: item ${chosen[i]} lost: worker 0 (pid `)
    expect(text, code).toMatch(reason)
  }
  expect(counts(run)).toEqual({
    ok: items.length - chosen.length,
    failed: chosen.length,
    cancelled: 0,
    notRun: 0,
  })
  expect(run.exitCode).toBe(3)
}, 100_000)

describe('an item fails alone, with the reason, that replaces a function so that it does not work any more,', () => {
  const iterator = 'Object.getPrototypeOf([].values())'
  const noPush = ['Array.prototype.push = nothing', 'Array.prototype.push'] as const
  const noNext = [`${iterator}.next = nothing`, 'Array.prototype[Symbol.iterator]'] as const
  const noCall = ['Function.prototype.call = nothing', 'Function.prototype.call'] as const
  const noSlice = [
    'String.prototype.slice = String.prototype.indexOf = nothing',
    'String.prototype.slice',
  ] as const
  const noGet = ['Map.prototype.get = nothing', 'Map.prototype'] as const
  const noIterator = [
    'Array.prototype[Symbol.iterator] = function* () {}',
    'Array.prototype[Symbol.iterator]',
  ] as const

  it.each<[which: string, task: string, size: number, codes: (readonly [code: string, broken: string])[]]>([
    ['the second item of a worker', 'default', 2, [noPush, noIterator, noSlice, noGet]],
    [
      'the second item of a worker, without a promise',
      'sync',
      2,
      [['Array.prototype.push = () => { throw new Error() }', 'Array.prototype.push'], noNext, noCall],
    ],
    [
      'one of many cheap items',
      'sync',
      500,
      [
        noPush,
        noIterator,
        noNext,
        [
          'for (const name of ["map", "filter", "shift"]) Array.prototype[name] = nothing',
          'Array.prototype.shift',
        ],
        noSlice,
        noCall,
        noGet,
      ],
    ],
  ])(
    'as %s',
    async (_which, task, size, codes) => {
      const job = `${fixture('runs-given-code')}#${task}`
      const { run, items, chosen } = await runCodes(
        job,
        codes.map(([code]) => code),
        { size, at: size / 2, flags: ['--chunk-size', `${size}`, '--max-worker-restarts', 'none'] },
      )
      expect(run.stdout, run.stderr).toBe(lines(...items.filter((item) => !chosen.includes(item))))
      const failures = failuresIn(run.stderr)
      expect(ascending([...failures.keys()])).toEqual(chosen)
      for (const [i, [code, broken]] of codes.entries()) {
        const text = failures.get(chosen[i]!)
        expect(text, code).toContain(`Error: the job has replaced ${broken}, which does not work any more\n`)
        expect(text, code).toContain(`WorkerLostError: item ${chosen[i]} lost`)
      }
      expect(run.exitCode).toBe(3)
    },
    60_000,
  )
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
    const blocked = block(11_000)
    const wait = 'return new Promise((resolve) => setTimeout(resolve, 11_000))'
    const both = `return new Promise(setImmediate).then(() => ${blocked})`
    for (const run of await Promise.all([blocked, wait, both].map((code) => runCode(code)))) {
      expect(run.stdout, run.stderr).toBe(lines(...ITEMS))
      // A second attempt would take it to 22 s.
      expect(run.stderr).toMatch(/^poolrun collect: 8 ok in 1\d s .*\n$/)
    }
  }, 30_000)
})

/** Item 1 runs the code in a worker that it shares with the others. */
function runCode(code: string, items: readonly number[] = ITEMS) {
  const flags = ['-j', '1', '--chunk-size', '3', '--kill-after', '500ms']
  const job = [fixture('runs-given-code'), '--init-args', JSON.stringify([{ 1: code }])]
  return runCli(['collect', ...job, ...flags], { input: lines(...items), timeoutMs: 25_000 })
}

/** Of every `size` items in one run, the one at `at` runs the next code. */
async function runCodes(
  job: string,
  codes: readonly string[],
  { size, at, flags }: { size: number; at: number; flags: readonly string[] },
) {
  const items = [...Array(codes.length * size).keys()]
  const chosen = codes.map((_, i) => i * size + at)
  const given = Object.fromEntries(codes.map((code, i) => [chosen[i], code]))
  const args = ['collect', job, '--init-args', JSON.stringify([given]), '-j', '1', '--kill-after', '500ms']
  const run = await runCli([...args, ...flags], { input: lines(...items), timeoutMs: 90_000 })
  return { run, items, chosen }
}
