// A control group of its own for a test: a shell enters it before it starts poolrun. Needs root and a writable hierarchy
// of version 1 or 2; elsewhere the test is skipped and says so.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { onTestFinished, type TestContext } from 'vitest'
import { eventually } from './eventually.js'

const ROOT = '/sys/fs/cgroup'
let groups = 0

/** The limits by version: file name to content. Returns the start of a shell script that enters the group. */
export function enterControlGroup(
  context: TestContext,
  controller: 'cpu' | 'pids',
  { v1, v2 }: Readonly<Record<'v1' | 'v2', Readonly<Record<string, string>>>>,
): string {
  const isV2 = existsSync(`${ROOT}/cgroup.controllers`)
  const folder = `${isV2 ? ROOT : `${ROOT}/${controller}`}/poolrun-test-${process.pid}-${++groups}`
  try {
    mkdirSync(folder)
    onTestFinished(() =>
      eventually('the group to be empty', () => removed(folder) || undefined).then(() => {}),
    )
    for (const [name, text] of Object.entries(isV2 ? v2 : v1)) writeFileSync(`${folder}/${name}`, text)
  } catch (error) {
    const reason = `no control group with the controller ${controller} can be made here: ${String(error)}`
    console.warn(`SKIPPED: ${context.task.name}: ${reason}`)
    context.skip(reason)
  }
  return `echo $$ > ${folder}/cgroup.procs; `
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder)
  } catch {
    return !existsSync(folder)
  }
  return true
}
