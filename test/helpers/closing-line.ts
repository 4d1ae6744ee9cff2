// Ends the run with one plain line of counts at the end of the log.
import type { Reporter, TestModule } from 'vitest/node'

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++
      // A file that cannot be loaded has no tests to fail.
      if (module.errors().length > 0) count.failed++
    }
    const failed = count.failed + count.pending + errors.length
    process.stdout.write(`${count.passed} passed, ${failed} failed, ${count.skipped} skipped\n`)
  }
}
