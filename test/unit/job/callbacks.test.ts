// The module of --callbacks, loaded into this process as into the parent.
import { expect, it, vi } from 'vitest'
import { loadCallbacks } from '../../../src/job/callbacks.js'
import { tempSpace } from '../../helpers/temp-space.js'

function load(text: string) {
  const { dir, write } = tempSpace()
  write({ 'on.mjs': text })
  return loadCallbacks('on.mjs', dir)
}

it('loads a module with either function', async () => {
  const callbacks = await load('export function callback(result, index) { return [result, index] }')
  expect(callbacks.callback?.(4, 2)).toEqual([4, 2])
  expect(callbacks).not.toHaveProperty('errorCallback')
  expect(await load('export const errorCallback = (error) => error')).toHaveProperty('errorCallback')
})

it.each([
  [
    'a module with neither',
    'export default 1',
    'on.mjs exports neither callback(result, index) nor errorCallback(error, index)',
  ],
  [
    'a callback that is not a function',
    'export const callback = 1',
    "the export 'callback' of on.mjs is not a function",
  ],
  ['a module that throws', 'throw new Error("no config")', 'on.mjs threw while loading: no config'],
  ['a module that throws nothing', 'throw undefined', 'on.mjs threw while loading: undefined'],
])('refuses %s', async (_, text, message) => {
  await expect(load(text)).rejects.toMatchObject({ name: 'JobError', message })
})

it('refuses a file that does not exist before anything is compiled', async () => {
  await expect(loadCallbacks('none.ts', tempSpace().dir)).rejects.toThrow('job module not found: none.ts')
})

it('keeps the value that the module threw as the cause', async () => {
  vi.stubGlobal('thrown', { odd: true })
  await expect(load('throw globalThis.thrown')).rejects.toMatchObject({ cause: { odd: true } })
  vi.unstubAllGlobals()
})
