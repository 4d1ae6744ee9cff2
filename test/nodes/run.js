// `npm run test:nodes`: a small run of every command and the fast tests on Node 22, 24 and 26. Then one of the runs 20 times
// more on each, or `--runs <n>` times, to see whether every run ends.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { CASES, commandsWithoutCase, FILES, HELP, LATER_CASES } from './cases.js'
import { install } from './install.js'

const MAJORS = [22, 24, 26]
const LIMIT_MS = 30_000
const FAST_TESTS_LIMIT_MS = 300_000
const ROOT = path.join(import.meta.dirname, '../..')
/** As many as the smallest machines have cores. */
const AT_ONCE = 2

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' } } })
const space = mkdtempSync(path.join(tmpdir(), 'poolrun-nodes-run-'))
const { PATH, HOME } = process.env
const ENV = { PATH, HOME, POOLRUN_CACHE_DIR: path.join(space, 'cache'), NO_COLOR: '1' }
let failures = 0

try {
  const binaries = MAJORS.map(installed).filter((node) => node !== undefined)
  for (const node of binaries) await smoke(node)
  for (const node of binaries) await repeat(node, Number(values.runs))
  for (const node of binaries) await fastTests(node)
} finally {
  rmSync(space, { recursive: true, force: true })
}
process.exitCode = failures > 0 ? 1 : 0

function installed(major) {
  try {
    return install(major)
  } catch (error) {
    fail(`NOT TESTED on Node ${major}: it could not be installed (${error.message})`)
    return undefined
  }
}

/** A folder for the runs of one version. The cache is one for all: what one version has compiled, another may find. */
function newFolder() {
  const folder = mkdtempSync(path.join(space, 'run-'))
  for (const [name, content] of Object.entries(FILES)) writeFileSync(path.join(folder, name), content)
  return folder
}

async function smoke(node) {
  const folder = newFolder()
  const version = (await run(folder, node, ['--version'])).stdout.trim()
  const help = (await run(folder, node, HELP)).stdout
  for (const name of commandsWithoutCase(help)) fail(`${name} has no case in test/nodes/cases.js`)
  const began = performance.now()
  const check = async ({ args, code, stdout = /^/, stderr = /^/ }) => {
    const result = await run(folder, node, args)
    const isRight = result.code === code && matches(result.stdout, stdout) && matches(result.stderr, stderr)
    if (!isRight) fail(`Node ${version}: ${args.join(' ')}: ${JSON.stringify(result)}`)
  }
  await inPairs(CASES, check)
  await inPairs(LATER_CASES, check)
  console.log(`Node ${version}: ${CASES.length + LATER_CASES.length} runs in ${seconds(began)}`)
}

async function repeat(node, times) {
  if (times === 0) return
  const folder = newFolder()
  const began = performance.now()
  const [{ args, stdout }] = CASES
  const failedBefore = failures
  await inPairs(Array(times).fill(args), async () => {
    const result = await run(folder, node, args)
    if (result.code !== 0 || result.stdout !== stdout) fail(`${node}: ${JSON.stringify(result)}`)
  })
  const wrong = failures - failedBefore
  console.log(`${node}: ${times} runs more, ${wrong} of them wrong, in ${seconds(began)}`)
}

/** Random tests try fewer cases than in `npm test`: what differs between versions shows early. */
async function fastTests(node) {
  const began = performance.now()
  const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs')
  const env = {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${PATH}`,
    POOLRUN_RUNS: '100',
    NO_COLOR: '1',
  }
  const args = [vitest, 'run', '--project', 'fast']
  const { code, stdout, stderr } = await run(ROOT, node, args, { env, timeout: FAST_TESTS_LIMIT_MS })
  const count = /^\d+ passed, .*$/m.exec(stdout)?.[0] ?? 'no tests'
  console.log(`${node}: ${count} in ${seconds(began)}`)
  if (code === 0 && !/^0 passed|no tests/.test(count)) return
  const failed = stdout.indexOf('Failed ')
  fail(`${node}: the fast tests: ${failed < 0 ? stdout + stderr : stdout.slice(failed)}`)
}

async function inPairs(list, work) {
  const rest = [...list]
  const next = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
}

/** A run that has not ended after the limit is killed; its code is then `null`. */
function run(cwd, node, args, { env = ENV, timeout = LIMIT_MS } = {}) {
  return new Promise((resolve) => {
    const options = { cwd, env, timeout, killSignal: 'SIGKILL', maxBuffer: Number.POSITIVE_INFINITY }
    const child = execFile(node, args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    )
    child.stdin.end()
  })
}

function matches(text, expected) {
  return typeof expected === 'string' ? text === expected : expected.test(text)
}

function fail(text) {
  failures++
  console.log(`FAILED: ${text}`)
}

function seconds(began) {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`
}
