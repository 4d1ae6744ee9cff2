// Which errors say that the machine lacks something. They are shown in words; a stack would add nothing.
import { describe, expect, it } from 'vitest'
import { environmentProblem } from '../../../src/errors/environment.js'

const systemError = (fields: object) => Object.assign(new Error('from Node'), fields)

describe('environmentProblem', () => {
  it('names the deleted working directory', () => {
    expect(environmentProblem(systemError({ code: 'ENOENT', syscall: 'uv_cwd' }))).toBe(
      'the working directory does not exist any more; change to another one and start again',
    )
  })

  it.each(['EMFILE', 'ENFILE'])('says what helps against %s', (code) => {
    expect(environmentProblem(systemError({ code, syscall: 'open' }))).toBe(
      'from Node; raise the limit of open files (ulimit -n)',
    )
  })

  it.each(['ENOSPC', 'EDQUOT', 'EROFS', 'ENOMEM', 'EAGAIN', 'EIO'])(
    'takes the words of Node for %s',
    (code) => {
      expect(environmentProblem(systemError({ code, syscall: 'open' }))).toBe('from Node')
    },
  )

  it.each([
    ['a bug', new TypeError('x is not a function')],
    ['a file that poolrun does not find', systemError({ code: 'ENOENT', syscall: 'open' })],
    ['an error that only looks like one', { code: 'EMFILE' }],
    ['no error', undefined],
  ])('has no words for %s', (_what, error) => {
    expect(environmentProblem(error)).toBe(undefined)
  })
})
