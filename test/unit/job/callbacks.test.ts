// The module of --callbacks: compiled like a job, loaded into the parent.
import { expect, it, vi } from 'vitest'
import { loadCallbacks } from '../../../src/job/callbacks.js'
import { project } from './project.js'

function load(text: string) {
  const { root, cache } = project({ 'on.ts': text })
  return loadCallbacks('on.ts', root, { POOLRUN_CACHE_DIR: cache })
}

it('Either function is enough', async () => {
  const callbacks = await load(
    'export function callback(result: number, index: number) { return [result, index] }',
  )
  expect(callbacks.callback?.(4, 2)).toEqual([4, 2])
  expect(callbacks).not.toHaveProperty('errorCallback')
  expect(await load('export const errorCallback = (error: Error) => error')).toHaveProperty('errorCallback')
})

it.each([
  [
    'a module with neither',
    'export default 1',
    'on.ts exports neither callback(result, index) nor errorCallback(error, index)',
  ],
  [
    'a callback that is no function',
    'export const callback = 1',
    "the export 'callback' of on.ts is not a function",
  ],
  ['a module that throws', 'throw new Error("no config")', 'on.ts threw while loading: no config'],
  ['a module that throws nothing', 'throw undefined', 'on.ts threw while loading: undefined'],
])('%s is refused', async (_, text, message) => {
  await expect(load(text)).rejects.toMatchObject({ name: 'JobError', message })
})

it('A file that is not there is refused before anything is compiled', async () => {
  await expect(loadCallbacks('none.ts', project({}).root)).rejects.toThrow('job module not found: none.ts')
})

it('The value a module threw stays the cause', async () => {
  vi.stubGlobal('thrown', { odd: true })
  await expect(load('throw (globalThis as any).thrown')).rejects.toMatchObject({ cause: { odd: true } })
  vi.unstubAllGlobals()
})
