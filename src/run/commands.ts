// A run of commands (`--exec`) where it differs from one of a job module: what workers load, and what a dry run shows.
import path from 'node:path'
import { JobError } from '../errors/classes.js'
import { dryRunLine, templateOf } from '../exec/command-line.js'
import { commandJobUrl } from '../exec/entry.js'
import { isExecutable } from '../exec/executable.js'
import { BadItem, keepNumbersOfItems, readItems } from '../framing/parse.js'
import type { JobSource } from '../ipc/protocol.js'
import { type Chunk, itemIndexAt } from '../model.js'
import { type CommandPlan, SHOWN_COMMANDS } from '../plan.js'

/** @throws JobError if there is no such shell. */
export function commandJob({ shell }: CommandPlan, env: NodeJS.ProcessEnv, cwd: string): JobSource {
  if (shell !== 'none' && !isFound(shell, env.PATH ?? '/usr/bin:/bin', cwd))
    throw new JobError(`--shell ${shell}: there is no such program`)
  return { url: commandJobUrl(), isCompiled: true, isBuiltIn: true }
}

function isFound(program: string, searched: string, cwd: string): boolean {
  if (program.includes('/')) return isExecutable(path.resolve(cwd, program))
  return searched.split(path.delimiter).some((folder) => isExecutable(path.resolve(cwd, folder, program)))
}

/** The first commands of a dry run, as lines for a shell. */
export function dryRunCommands(plan: CommandPlan): { add(chunk: Chunk): void; text(): string } {
  const template = templateOf(plan)
  keepNumbersOfItems()
  const lines: string[] = []
  return {
    add(chunk) {
      const { payload, count } = chunk
      if (payload.kind !== 'bytes' || lines.length === SHOWN_COMMANDS) return
      const items = readItems(payload)
      for (let offset = 0; offset < count && lines.length < SHOWN_COMMANDS; offset++) {
        const item = items.next()
        const index = itemIndexAt(chunk, offset)
        const slot = lines.length % plan.commands
        lines.push(
          item instanceof BadItem
            ? `# item ${index} cannot be read`
            : dryRunLine(plan, template, { item, index, slot }),
        )
      }
    },
    text: () => lines.map((line) => `${line}\n`).join(''),
  }
}
