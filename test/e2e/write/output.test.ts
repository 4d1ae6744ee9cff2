// Bytes leave in order and all of them, or the failure is reported, where stdout is a pipe, a file or a full disk.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe('stdout of a process', () => {
  let directory: string
  let program: string

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'output-'))
    program = join(directory, 'program.mjs')
    const source = (path: string) =>
      JSON.stringify(fileURLToPath(new URL(`../../../src/${path}`, import.meta.url)))
    await build({
      stdin: {
        contents: `
          import { createOutput } from ${source('write/output.ts')}
          import { openInput } from ${source('read/open.ts')}
          const [mode, size] = process.argv.slice(2)
          const output = createOutput(process.stdout)
          try {
            if (mode === 'write') {
              for (let n = 0; n < Number(size); n++) await output.write(Buffer.alloc(1000, 'x'))
            } else {
              const input = await openInput({ kind: 'stdin' }, undefined)
              const chunk = await input.next({ items: 10, bytes: 65536 })
              await output.write(chunk.payload.bytes)
              void input.next({ items: 10, bytes: 65536 })
              await output.end()
              input.close()
            }
            await output.end()
            if (mode === 'write') process.exit(0)
          } catch (error) {
            process.stderr.write(error.name + ': ' + error.message)
            process.exit(9)
          }`,
        resolveDir: directory,
        loader: 'js',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: program,
    })
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const run = (mode: string, size: number, stdout: 'pipe' | number = 'pipe') =>
    spawn(process.execPath, [program, mode, String(size)], { stdio: ['pipe', stdout, 'pipe'] })

  /** Exit code and stderr. */
  async function endOf(child: ChildProcess): Promise<string> {
    let text = ''
    child.stderr?.on('data', (bytes: Buffer) => {
      text += bytes.toString()
    })
    await once(child, 'close')
    return `${child.exitCode} ${text}`
  }

  test('loses nothing at exit, though the pipe is slow and small', async () => {
    const child = run('write', 3000)
    let size = 0
    child.stdout!.on('data', (bytes: Buffer) => {
      size += bytes.length
      child.stdout!.pause()
      setImmediate(() => child.stdout!.resume())
    })
    expect(await endOf(child)).toBe('0 ')
    expect(size).toBe(3_000_000)
  })

  test('fails with a BrokenPipeError if its reader closes the pipe', async () => {
    const child = run('write', 100_000)
    child.stdout!.once('data', () => child.stdout!.destroy())
    expect(await endOf(child)).toBe('9 BrokenPipeError: the reader of the output went away')
  })

  test('writes every byte to a file', async () => {
    const path = join(directory, 'file')
    expect(await endOf(run('write', 3000, openSync(path, 'w')))).toBe('0 ')
    expect(readFileSync(path)).toHaveLength(3_000_000)
  })

  test('fails with an OutputError on a full disk', async () => {
    expect(await endOf(run('write', 10, openSync('/dev/full', 'w')))).toBe(
      '9 OutputError: cannot write the output: no space left on the device',
    )
  })

  test('a directory as stdin is an InputError, not an empty input', async () => {
    const child = spawn(process.execPath, [program, 'cat'], {
      stdio: [openSync(directory, 'r'), 'pipe', 'pipe'],
    })
    expect(await endOf(child)).toBe('9 InputError: cannot read <stdin>: it is a directory')
  })

  test('the first item passes while stdin stays open, and the process can exit with a read pending', async () => {
    const child = run('cat', 0)
    child.stdin!.write('1\n')
    const [bytes] = (await once(child.stdout!, 'data')) as [Buffer]
    expect(bytes.toString()).toBe('1\n')
    // The other end of stdin is still open here: only `close()` lets the process go.
    expect(await endOf(child)).toBe('0 ')
  })
})
