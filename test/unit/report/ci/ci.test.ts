// Which CI system a run reports to.
import { expect, it } from 'vitest'
import type { CiChoice } from '../../../../src/plan.js'
import { createCiReport } from '../../../../src/report/ci/ci.js'

const GITHUB = { GITHUB_ACTIONS: 'true' }
const GITLAB = { GITLAB_CI: 'true' }

const cases: [CiChoice, NodeJS.ProcessEnv, 'github' | 'gitlab' | 'none'][] = [
  ['auto', GITHUB, 'github'],
  ['auto', GITLAB, 'gitlab'],
  ['auto', { ...GITHUB, ...GITLAB }, 'github'],
  ['auto', { GITHUB_ACTIONS: '1', CI: 'true' }, 'none'],
  ['auto', {}, 'none'],
  ['github', GITLAB, 'github'],
  ['gitlab', {}, 'gitlab'],
  ['none', GITHUB, 'none'],
]
it.each(cases)('--ci %s with %j reports to %s', (choice, env, expected) => {
  let text = ''
  const write = (more: string) => {
    text += more
  }
  const report = createCiReport(choice, { write, env, cwd: '/', now: () => 0 })
  report.begin()
  report.failed(() => ({ index: 0, item: '', name: 'Error', message: 'boom', location: undefined }))
  report.end({ summaryLine: '', title: '' })
  expect(text.includes('::error')).toBe(expected === 'github')
  expect(text.includes('section_start')).toBe(expected === 'gitlab')
  expect(text === '').toBe(expected === 'none')
})
