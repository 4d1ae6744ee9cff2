// Puts the failures into a collapsible section of GitLab's job log.
import { randomBytes } from 'node:crypto'
import type { CiReport, CiReportOptions } from './ci-report.js'

export function createGitlabReport({ write, now }: CiReportOptions): CiReport {
  // Random, so that a job cannot close the section.
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
