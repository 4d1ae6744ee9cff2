// Which edits of a JavaScript job and its own files are noticed.
import { renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { JobSnapshot } from '../../../src/job/snapshot.js'
import { tempSpace } from '../../helpers/temp-space.js'

const FILES = {
  'job.mjs': `
import { a } from './lib/a.mjs'
import './side-effect.js?once'
export * from "./more.mjs"
import pkg from 'package'
const late = () => import('./late.mjs')
const old = require('./old')
// import './missing.mjs'
export default () => a`,
  'lib/a.mjs': "export { b as a } from '../lib/b.mjs'",
  'lib/b.mjs': "import './a.mjs'\nexport const b = 1",
  'side-effect.js': '',
  'more.mjs': 'export const more = 1',
  'late.mjs': 'export default 1',
  'old/index.js': "module.exports = require('./data.json')",
  'old/data.json': '{}',
  'node_modules/package/index.js': 'module.exports = 1',
  'unrelated.mjs': '',
}

function snapshot() {
  const space = tempSpace()
  const job = space.write(FILES)
  return { ...space, snapshot: new JobSnapshot(pathToFileURL(job).href) }
}

describe('JobSnapshot', () => {
  it.each([
    'job.mjs',
    'lib/a.mjs',
    'lib/b.mjs',
    'side-effect.js',
    'more.mjs',
    'late.mjs',
    'old/index.js',
    'old/data.json',
  ])('notices that %s was edited', (name) => {
    const { snapshot: taken, write, path } = snapshot()
    expect(taken.changed()).toBeUndefined()
    write({ [name]: `${FILES[name as keyof typeof FILES]}\n` })
    expect(taken.changed()).toBe(path(name))
  })

  it('notices an edit that keeps size and time of the file', () => {
    const { snapshot: taken, write, path } = snapshot()
    const { atime, mtime } = statSync(path('more.mjs'))
    write({ 'more.mjs': 'export const more = 2' })
    utimesSync(path('more.mjs'), atime, mtime)
    expect(taken.changed()).toBe(path('more.mjs'))
  })

  it('notices that a file was replaced by another one', () => {
    const { snapshot: taken, write, path } = snapshot()
    write({ 'more.mjs.new': 'export const more = 2' })
    renameSync(path('more.mjs.new'), path('more.mjs'))
    expect(taken.changed()).toBe(path('more.mjs'))
  })

  it('notices that a file was removed', () => {
    const { snapshot: taken, path } = snapshot()
    rmSync(path('lib/b.mjs'))
    expect(taken.changed()).toBe(path('lib/b.mjs'))
  })

  it.each(['unrelated.mjs', 'node_modules/package/index.js'])('does not watch %s', (name) => {
    const { snapshot: taken, write } = snapshot()
    write({ [name]: 'edited' })
    expect(taken.changed()).toBeUndefined()
  })

  it('is not misled by a file that is written again with the same content', () => {
    const { snapshot: taken, write } = snapshot()
    write(FILES)
    expect(taken.changed()).toBeUndefined()
  })
})
