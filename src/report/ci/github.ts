// Annotations and the step summary for GitHub Actions. The runner executes workflow commands that it finds anywhere in
// stdout or stderr. A job must not be able to issue any, so `::stop-commands::` turns them off while jobs may print;
// only a random token turns them on again. See "Workflow commands for GitHub Actions" in GitHub's documentation.
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { itemTitle } from '../item-text.js'
import { placeText, relativePath } from '../source-location.js'
import type { CiReport, CiReportOptions, FailedItem } from './ci-report.js'

/** GitHub shows ten annotations per step; the tenth says how many more failures there are. */
const MAX_ANNOTATIONS = 9
/** The runner cuts longer messages, possibly in the middle of an escape sequence. */
const MAX_MESSAGE_CHARACTERS = 3_000
const MAX_SUMMARY_FAILURES = 20
const MAX_CELL_CHARACTERS = 300

export function createGithubReport({ write, env, cwd }: CiReportOptions): CiReport {
  const token = `poolrun-${randomBytes(16).toString('hex')}`
  const shown: FailedItem[] = []
  let failed = 0

  return {
    begin() {
      write(`::stop-commands::${token}\n`)
    },
    failed(describe) {
      failed++
      if (shown.length < MAX_SUMMARY_FAILURES) shown.push(describe())
    },
    // All commands are written at the end, in one piece: stdout may share the log, and no result may get in between.
    end({ summaryLine, title }) {
      let text = `::${token}::\n`
      for (const item of shown.slice(0, MAX_ANNOTATIONS))
        text += annotation(item, [env.GITHUB_WORKSPACE, cwd])
      const more = failed - MAX_ANNOTATIONS
      if (more > 0) text += `::error title=${escapeProperty(title)}::${escapeData(`${more} more failed`)}\n`
      write(text)
      const file = env.GITHUB_STEP_SUMMARY
      if (file === undefined || file === '') return undefined
      try {
        appendFileSync(file, markdownSummary(title, summaryLine, shown, failed, cwd))
        return undefined
      } catch (error) {
        return `the step summary could not be written: ${(error as Error).message}`
      }
    },
  }
}

function annotation(
  { index, item, name, message, location }: FailedItem,
  folders: readonly (string | undefined)[],
): string {
  const where =
    location === undefined
      ? ''
      : `file=${escapeProperty(relativePath(location.file, folders))},line=${location.line},col=${location.column},`
  const text = `${name}: ${message}`
  const cut = text.length > MAX_MESSAGE_CHARACTERS ? `${text.slice(0, MAX_MESSAGE_CHARACTERS)}…` : text
  return `::error ${where}title=${escapeProperty(itemTitle(index, item))}::${escapeData(cut)}\n`
}

/** Escapes the message of a command. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** Escapes a property of a command. */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

function markdownSummary(
  title: string,
  summaryLine: string,
  shown: readonly FailedItem[],
  failed: number,
  cwd: string,
): string {
  const lines = [`### ${escapeCell(title)}`, '', escapeCell(summaryLine), '']
  if (shown.length > 0) {
    lines.push('| item | failed with | at |', '| ---: | --- | --- |')
    for (const { index, item, name, message, location } of shown) {
      const at = location === undefined ? '' : placeText(location, cwd)
      lines.push(
        `| ${escapeCell(item === '' ? String(index) : `${index}: ${item}`)} | ${escapeCell(`${name}: ${message}`)} | ${escapeCell(at)} |`,
      )
    }
    if (failed > shown.length) lines.push('', `… and ${failed - shown.length} more`)
    lines.push('')
  }
  return `${lines.join('\n')}\n`
}

/** Escapes text for a Markdown table cell: it cannot become markup, a link, a mention or the end of the cell. */
function escapeCell(text: string): string {
  const cut = text.length > MAX_CELL_CHARACTERS ? `${text.slice(0, MAX_CELL_CHARACTERS)}…` : text
  return cut
    .replace(/\s+/g, ' ')
    .replace(/[&<>\\`*_{}[\]()#+!|~@$-]/g, (char) =>
      '&<>'.includes(char) ? `&#${char.charCodeAt(0)};` : `\\${char}`,
    )
}
