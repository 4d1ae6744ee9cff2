// Kills the workers when this process has ended, even by SIGKILL, after which no handler runs here, and even if a worker
// is in a busy loop, where it does not notice. A shell outside of this process reads process groups from a pipe that only
// this process holds; at the end of the pipe it kills the groups. One shell for all pools; it starts in a millisecond and
// needs nothing in the workers.
import { type ChildProcess, spawn } from 'node:child_process'

/** `+ 12` and `- 12` add and remove a group; at the end of input the groups that are left are killed. */
const SCRIPT = `
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`

let shell: ChildProcess | undefined
/** Lines for the shell that is about to be started. */
let unsent = ''

export function watchGroup(pid: number): void {
  send(`+ ${pid}\n`)
}

export function forgetGroup(pid: number): void {
  send(`- ${pid}\n`)
}

function send(line: string): void {
  if (shell !== undefined) return void shell.stdin?.write(line)
  // Started after the workers that are being started now, because the run waits for them.
  if (unsent === '')
    queueMicrotask(() => {
      shell = startShell()
      shell.stdin?.write(unsent)
    })
  unsent += line
}

/** Without a shell on the machine, workers still exit when they notice that their channel is closed. */
function startShell(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Not in the terminal's process group: Ctrl-C must not end it before its work is done.
    detached: true,
    cwd: '/',
  })
  child.on('error', () => {})
  child.stdin?.on('error', () => {})
  child.unref()
  ;(child.stdin as unknown as { unref(): void } | null)?.unref()
  return child
}
