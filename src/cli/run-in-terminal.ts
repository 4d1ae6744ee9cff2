// A run as the command line shows it: what happens goes to the console reporter, and that to stderr.

import { sanitise } from '../errors/sanitise.js'
import { shouldColor } from '../report/color.js'
import { createConsoleReporter } from '../report/console.js'
import { createFailureText } from '../report/failure-text.js'
import { loadPainter } from '../report/painter.js'
import type { RunPlan } from '../run/plan.js'
import { type RunResult, run } from '../run/run.js'

export async function runInTerminal(plan: RunPlan): Promise<RunResult> {
  const cwd = process.cwd()
  const { fullStack } = plan
  const text = createFailureText({ plan, cwd, fullStack })
  const painter = await loadPainter(shouldColor(process.stderr, { flag: plan.color, env: process.env }))
  const write = (lines: string) => void process.stderr.write(lines)
  const reporter = createConsoleReporter({
    plan,
    renderers: { failure: text.failure, flaky: text.flaky, line: sanitise },
    write,
    painter,
  })
  const result = await run(plan, {
    cwd,
    stdout: process.stdout,
    report: reporter.handle,
    fault: (error) => write(`${painter.block(text.fault(error))}\n`),
  })
  if (result.summary !== undefined) reporter.finish(result.summary)
  return result
}
