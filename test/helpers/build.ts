// Global set-up of the end-to-end tests: builds if dist is older than its sources, and creates a cache directory that all
// runs share. Concurrent test runs wait for each other here.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    cacheDir: string
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const PRODUCTS = ['dist/main.cjs', 'dist/index.js', 'dist/worker.cjs', 'dist/index.d.cts']
const LOCK = join(
  tmpdir(),
  `poolrun-build-${createHash('sha256').update(root).digest('hex').slice(0, 12)}.lock`,
)

function modified(path: string): number {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function isStale(): boolean {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(
    (name) => `src/${name}`,
  )
  const newest = Math.max(...[...sources, 'build.js', 'package.json', 'tsconfig.json'].map(modified))
  return Math.min(...PRODUCTS.map(modified)) < newest
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function tryLock(): boolean {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

function ownerHasExited(): boolean {
  try {
    const owner = Number(readFileSync(LOCK, 'utf8'))
    return owner > 0 && !isAlive(owner)
  } catch {
    return false // has been released meanwhile
  }
}

async function locked(work: () => void): Promise<void> {
  while (!tryLock()) {
    if (ownerHasExited()) rmSync(LOCK, { force: true })
    else await pause(100)
  }
  try {
    work()
  } finally {
    rmSync(LOCK, { force: true })
  }
}

export default async function setup(project: TestProject) {
  await locked(() => {
    if (isStale()) execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
  })
  const cacheDir = mkdtempSync(join(tmpdir(), 'poolrun-test-cache-'))
  project.provide('cacheDir', cacheDir)
  return () => rmSync(cacheDir, { recursive: true, force: true })
}
