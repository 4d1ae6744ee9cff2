// Bytes leave in order and all of them, or the failure is told: in one process with streams that are made to fail,
// and in processes whose stdout is a pipe, a file, a full disk.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import { BrokenPipeError } from '../../../src/write/broken-pipe.js'
import { createOutput } from '../../../src/write/output.js'

/** Takes nothing before it is told to. */
class Slow extends Writable {
  readonly parts: string[] = []
  private done: ((error?: Error) => void)[] = []
  override _write(bytes: Buffer, _: string, done: (error?: Error) => void): void {
    this.parts.push(bytes.toString('latin1'))
    this.done.push(done)
  }
  take(error?: Error): void {
    this.done.shift()?.(error)
  }
}

const turn = () => new Promise(setImmediate)

describe('in one process', () => {
  test('small writes of one turn leave as one, at its end', async () => {
    const stream = new Slow()
    const output = createOutput(stream)
    for (const text of ['1\n', '2\n', '', '3\n']) expect(output.write(Buffer.from(text))).toBeUndefined()
    await turn()
    expect(stream.parts).toEqual(['1\n2\n3\n'])
  })

  test('a large write leaves at once', () => {
    const stream = new Slow()
    createOutput(stream).write(Buffer.alloc(64 * 1024))
    expect(stream.parts).toHaveLength(1)
  })

  test('a reader that lags is waited for, and the end for all of it', async () => {
    const stream = new Slow()
    const output = createOutput(stream)
    const events: string[] = []
    expect(output.write(Buffer.alloc(200_000))).toBeUndefined()
    const wait = output.write(Buffer.alloc(100_000))
    void (wait as Promise<void>).then(() => events.push('drained'))
    void output.end().then(() => events.push('ended'))
    await turn()
    expect(events).toEqual([])
    stream.take()
    await turn()
    expect(events).toEqual(['drained'])
    stream.take()
    await turn()
    expect(events).toEqual(['drained', 'ended'])
  })

  test('end without anything written is at once', async () => {
    await createOutput(new Slow()).end()
  })

  test.each([
    ['EPIPE', BrokenPipeError],
    ['ENOSPC', OutputError],
    ['EIO', OutputError],
  ])('%s ends every wait and every later write', async (code, type) => {
    const stream = new Slow()
    const output = createOutput(stream)
    const wait = output.write(Buffer.alloc(300_000))
    const end = output.end()
    const error = Object.assign(new Error(code), { code })
    stream.take(error)
    await expect(wait).rejects.toThrow(type)
    await expect(end).rejects.toThrow(type)
    await expect(output.write(Buffer.from('1'))).rejects.toMatchObject({ cause: error })
    await expect(output.end()).rejects.toThrow(type)
    expect(await output.failed).toBeInstanceOf(type)
  })

  test('a stream that is destroyed under it ends the wait', async () => {
    const stream = new Slow()
    const output = createOutput(stream)
    const wait = output.write(Buffer.alloc(300_000))
    stream.destroy()
    await expect(wait).rejects.toThrow(OutputError)
  })
})

describe('as stdout of a process', () => {
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

  async function told(child: ChildProcess): Promise<string> {
    let text = ''
    child.stderr?.on('data', (bytes: Buffer) => {
      text += bytes.toString()
    })
    await once(child, 'close')
    return `${child.exitCode} ${text}`
  }

  test('nothing is lost at exit, though the pipe is slow and small', async () => {
    const child = run('write', 3000)
    let size = 0
    child.stdout!.on('data', (bytes: Buffer) => {
      size += bytes.length
      child.stdout!.pause()
      setImmediate(() => child.stdout!.resume())
    })
    expect(await told(child)).toBe('0 ')
    expect(size).toBe(3_000_000)
  })

  test('a reader that goes away is a BrokenPipeError', async () => {
    const child = run('write', 100_000)
    child.stdout!.once('data', () => child.stdout!.destroy())
    expect(await told(child)).toBe('9 BrokenPipeError: the reader of the output went away')
  })

  test('a file gets all', async () => {
    const path = join(directory, 'file')
    expect(await told(run('write', 3000, openSync(path, 'w')))).toBe('0 ')
    expect(readFileSync(path)).toHaveLength(3_000_000)
  })

  test('a full disk is an OutputError', async () => {
    expect(await told(run('write', 10, openSync('/dev/full', 'w')))).toMatch(/^9 OutputError: .*ENOSPC/)
  })

  test('a directory as stdin is an InputError, not an empty input', async () => {
    const child = spawn(process.execPath, [program, 'cat'], {
      stdio: [openSync(directory, 'r'), 'pipe', 'pipe'],
    })
    expect(await told(child)).toBe('9 InputError: cannot read <stdin>: it is a directory')
  })

  test('the first item passes while stdin stays open, and the process can end with a read pending', async () => {
    const child = run('cat', 0)
    child.stdin!.write('1\n')
    const [bytes] = (await once(child.stdout!, 'data')) as [Buffer]
    expect(bytes.toString()).toBe('1\n')
    // The other end of stdin is still open here: only `close()` lets the process go.
    expect(await told(child)).toBe('0 ')
  })
})
