// What a test needs of the machine beyond Node. Where that is missing, the test is skipped and says why.
import { execFileSync } from 'node:child_process'
import type { TestContext } from 'vitest'

/** Skips the running test if the shell command fails. */
export function requireOfMachine(context: TestContext, what: string, probe: string): void {
  try {
    execFileSync('sh', ['-c', probe], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    const reason = `this machine does not allow ${what}: ${String((error as Error).message).trim()}`
    console.warn(`SKIPPED: ${context.task.name}: ${reason}`)
    context.skip(reason)
  }
}

export const MOUNTS = [
  'a mount of its own',
  'd=$(mktemp -d) && unshare -m mount --bind "$d" "$d"; c=$?; rmdir "$d"; exit $c',
] as const
export const FEWER_POWERS = ['root without its powers', 'setpriv --bounding-set -fowner,-chown true'] as const
