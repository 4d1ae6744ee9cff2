// Which CI system this is, and the report for it, besides the log that people read.
import type { CiChoice } from '../../plan.js'
import type { CiReport, CiReportOptions } from './ci-report.js'
import { createGithubReport } from './github.js'
import { createGitlabReport } from './gitlab.js'

const SILENT: CiReport = { begin() {}, failed() {}, end: () => undefined }

export function createCiReport(choice: CiChoice, options: CiReportOptions): CiReport {
  const system = choice === 'auto' ? detect(options.env) : choice
  switch (system) {
    case 'github':
      return createGithubReport(options)
    case 'gitlab':
      return createGitlabReport(options)
    case 'none':
      return SILENT
    default:
      return system satisfies never
  }
}

function detect({ GITHUB_ACTIONS, GITLAB_CI }: NodeJS.ProcessEnv): Exclude<CiChoice, 'auto'> {
  if (GITHUB_ACTIONS === 'true') return 'github'
  return GITLAB_CI === 'true' ? 'gitlab' : 'none'
}
