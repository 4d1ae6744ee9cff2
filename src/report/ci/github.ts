// What GitHub Actions makes of a step's log: annotations, folds and the step's summary. The runner obeys commands that
// it finds anywhere in stdout or stderr, so none is obeyed while jobs may print: a random word that nobody can guess
// takes obedience back for our own lines. Knows nothing of streams; docs: "Workflow commands for GitHub Actions".
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import type { CiReport, CiReportOptions, FailedItem } from './ci-report.js'

/** GitHub shows ten annotations of a step; the last one says how many there are besides. */
const ANNOTATIONS = 9
/** Longer messages are cut by the runner, in the middle of an escape if need be. */
const MESSAGE_CHARACTERS = 3_000
const SUMMARY_FAILURES = 20
const CELL_CHARACTERS = 300

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
      if (shown.length < SUMMARY_FAILURES) shown.push(describe())
    },
    // All at the end: results go their own way, and none of them may come through between two of these lines.
    end({ verdict, title }) {
      let text = `::${token}::\n`
      for (const item of shown.slice(0, ANNOTATIONS)) text += annotation(item, env.GITHUB_WORKSPACE ?? cwd)
      const more = failed - ANNOTATIONS
      if (more > 0) text += `::error title=${property(title)}::${data(`${more} more failed`)}\n`
      write(text)
      const file = env.GITHUB_STEP_SUMMARY
      if (file === undefined || file === '') return undefined
      try {
        appendFileSync(file, summaryOf(title, verdict, shown, failed))
        return undefined
      } catch (error) {
        return `the step summary could not be written: ${(error as Error).message}`
      }
    },
  }
}

function annotation({ index, name, message, place }: FailedItem, workspace: string): string {
  const where =
    place === undefined
      ? ''
      : `file=${property(pathIn(workspace, place.file))},line=${place.line},col=${place.column},`
  const text = `${name}: ${message}`
  const cut = text.length > MESSAGE_CHARACTERS ? `${text.slice(0, MESSAGE_CHARACTERS)}…` : text
  return `::error ${where}title=${property(`item ${index}`)}::${data(cut)}\n`
}

function pathIn(workspace: string, file: string): string {
  const path = relative(workspace, file)
  return path.startsWith('..') || isAbsolute(path) ? file : path
}

/** Of a command's message. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** Of a command's property. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

function summaryOf(title: string, verdict: string, shown: readonly FailedItem[], failed: number): string {
  const lines = [`### ${cell(title)}`, '', cell(verdict), '']
  if (shown.length > 0) {
    lines.push('| item | failed with | at |', '| ---: | --- | --- |')
    for (const { index, name, message, place } of shown) {
      const at = place === undefined ? '' : `${place.file}:${place.line}`
      lines.push(`| ${index} | ${cell(`${name}: ${message}`)} | ${cell(at)} |`)
    }
    if (failed > shown.length) lines.push('', `… and ${failed - shown.length} more`)
    lines.push('')
  }
  return `${lines.join('\n')}\n`
}

/** Text in Markdown: whatever could be markup, a link, a mention or the end of the cell is taken literally. */
function cell(text: string): string {
  const cut = text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS)}…` : text
  return cut
    .replace(/\s+/g, ' ')
    .replace(/[&<>\\`*_{}[\]()#+!|~@$-]/g, (char) =>
      '&<>'.includes(char) ? `&#${char.charCodeAt(0)};` : `\\${char}`,
    )
}
