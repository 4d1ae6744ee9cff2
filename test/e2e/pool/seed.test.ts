// Examples that people bring from Python, each with the behaviour it should have.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { CallbackError, InitializerError, RemoteTraceback } from '../../../src/index.js'
import { errorOf, initializersUrl, makePool, range, sharedPool } from './helpers.js'

const shared = sharedPool({ processes: 1 })

const source = readFileSync(new URL('./fixtures/job.ts', import.meta.url), 'utf8').split('\n')
const lineOf = (text: string) => source.findIndex((line) => line.includes(text)) + 1

test('a failed initializer rejects with InitializerError, whose cause is the error of the worker', async () => {
  const pool = makePool<{ greet(): string }>({ initializer: 'throws', processes: 1 }, initializersUrl)
  const error = await errorOf(pool.apply('greet'))
  expect(error).toBeInstanceOf(InitializerError)
  expect(error.cause).toMatchObject({ index: undefined, workerId: expect.any(Number) })
  expect((error.cause as Error).stack).toContain('Error: no licence')
})

test('get() of a failed applyAsync can be caught', async () => {
  const result = shared.pool.applyAsync('throwValue', [new Error('Something bad happened!')])
  let message = ''
  try {
    await result.get()
  } catch {
    message = 'Unable to get the result'
  }
  expect(message).toBe('Unable to get the result')
})

test('apply rejects with the error of the task', async () => {
  await expect(shared.pool.apply('failAt2', [2])).rejects.toThrow('Something bad happened!')
})

test('successful() after wait() distinguishes success and failure', async () => {
  const bad = shared.pool.applyAsync('failAt2', [2])
  expect(await bad.wait()).toBe(true)
  expect(bad.successful()).toBe(false)
  const good = shared.pool.applyAsync('failAt2', [3])
  await good.wait()
  expect(good.successful()).toBe(true)
})

test('mapAsync(…).get() rejects with the error of the task, whose cause has worker, item, file and line', async () => {
  const error = await errorOf(shared.pool.mapAsync('failAt2', range(5)).get())
  expect(error.message).toBe('Something bad happened!')
  const remote = error.cause as RemoteTraceback
  expect(remote).toBeInstanceOf(RemoteTraceback)
  expect(remote).toMatchObject({
    index: 2,
    attempts: 1,
    workerId: expect.any(Number),
    pid: expect.any(Number),
  })
  const location = `${fileURLToPath(new URL('./fixtures/job.ts', import.meta.url)).replace(`${process.cwd()}/`, '')}:${lineOf("throw new Error('Something bad happened!')")}`
  expect(remote.stack).toContain(location)
  expect(remote.stack).toMatch(
    /^RemoteTraceback: item 2, worker \d \(pid \d+\)\n"""\nError: Something bad happened!\n/,
  )
})

test('imap yields the results before a failed item, then rejects with its error', async () => {
  const seen: number[] = []
  const error = await errorOf(
    (async () => {
      for await (const value of shared.pool.imap('failAt2', range(5))) seen.push(value)
    })(),
  )
  expect(seen).toEqual([0, 1])
  expect(error.message).toBe('Something bad happened!')
})

test('callback receives the result', async () => {
  const got: number[] = []
  await shared.pool.applyAsync('square', [4], { callback: (value) => got.push(value) })
  expect(got).toEqual([16])
})

test('a callback that throws rejects only its own result', async () => {
  const result = shared.pool.applyAsync('square', [4], {
    callback: () => {
      throw new Error('in the callback')
    },
  })
  const error = await errorOf<CallbackError>(result.get())
  expect(error).toBeInstanceOf(CallbackError)
  expect(error.result).toBe(16)
  expect((error.cause as Error).message).toBe('in the callback')
  expect(await shared.pool.map('square', [1, 2, 3])).toEqual([1, 4, 9])
})
