// A directory for the running test alone, removed when the test ends.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface TempSpace {
  readonly dir: string
  path(name: string): string
  /** Writes files by relative path, with their directories; returns the path of the first. */
  write(files: Readonly<Record<string, string | Uint8Array>>): string
  /** Empty where the file does not exist. */
  read(name: string): string
}

export function tempSpace(): TempSpace {
  const dir = mkdtempSync(join(realpathSync(tmpdir()), 'poolrun-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const path = (name: string) => join(dir, name)
  return {
    dir,
    path,
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(path(name)), { recursive: true })
        writeFileSync(path(name), content)
      }
      return path(Object.keys(files)[0] ?? '')
    },
    read(name) {
      try {
        return readFileSync(path(name), 'utf8')
      } catch {
        return ''
      }
    },
  }
}
