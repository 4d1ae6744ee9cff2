// A throw-away project on disk for tests of job loading: files in, a compiled and loaded job out.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { JobSource } from '../../../src/ipc/protocol.js'
import { compileJob } from '../../../src/job/compile.js'
import { type LoadedJob, loadJob } from '../../../src/job/load-job.js'

export interface Project {
  readonly root: string
  readonly cache: string
  write(files: Readonly<Record<string, string>>): void
  file(name: string): string
  compile(name: string): Promise<JobSource>
  /** Compiles, imports and calls the export without arguments. */
  run(name: string, exportName?: string): Promise<unknown>
  load(name: string): Promise<LoadedJob>
}

export function project(files: Readonly<Record<string, string>>): Project {
  const top = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'poolrun-test-')))
  onTestFinished(() => rmSync(top, { recursive: true, force: true }))
  const root = path.join(top, 'project')
  const cache = path.join(top, 'cache')
  const self: Project = {
    root,
    cache,
    write(more) {
      for (const [name, text] of Object.entries(more)) {
        mkdirSync(path.dirname(self.file(name)), { recursive: true })
        writeFileSync(self.file(name), text)
      }
    },
    file: (name) => path.join(root, name),
    compile: (name) => compileJob(self.file(name), { cwd: root, env: { POOLRUN_CACHE_DIR: cache } }),
    load: async (name) => loadJob(await self.compile(name)),
    async run(name, exportName = 'default') {
      const task = (await self.load(name)).get(exportName) as () => unknown
      return task()
    },
  }
  mkdirSync(root)
  self.write(files)
  return self
}
