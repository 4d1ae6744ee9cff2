// What GitLab makes of a job's log: the failures stand in a section that folds. Knows nothing of streams.
import { randomBytes } from 'node:crypto'
import type { CiReport, CiReportOptions } from './ci-report.js'

export function createGitlabReport({ write, now }: CiReportOptions): CiReport {
  // A name that a job cannot close.
  const name = `poolrun_failures_${randomBytes(8).toString('hex')}`
  let open = false
  const mark = (kind: 'start' | 'end') =>
    `\x1b[0Ksection_${kind}:${Math.floor(now() / 1000)}:${name}\r\x1b[0K`
  return {
    begin() {},
    failed() {
      if (open) return
      open = true
      write(`${mark('start')}poolrun: what failed\n`)
    },
    end() {
      if (open) write(`${mark('end')}\n`)
      open = false
      return undefined
    },
  }
}
