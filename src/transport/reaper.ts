// Ends the workers when this process is gone, however it went: SIGKILL leaves no handler to run, and a worker in a busy
// loop hears nothing. A shell outside waits for the end of a pipe that only we hold, then kills the groups it was told
// of. One for the whole pool, a millisecond to start, nothing inside the workers; knows nothing of what they do.
import { type ChildProcess, spawn } from 'node:child_process'

/** `+ 12` and `- 12` keep the set of groups; at the end of input what is left in it is killed, what they spawned too. */
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
/** For the shell that is about to start. */
let untold = ''

export function watchGroup(pid: number): void {
  tell(`+ ${pid}\n`)
}

export function forgetGroup(pid: number): void {
  tell(`- ${pid}\n`)
}

function tell(line: string): void {
  if (shell !== undefined) return void shell.stdin?.write(line)
  // After the workers that are being started just now: they are what a run waits for.
  if (untold === '')
    queueMicrotask(() => {
      shell = start()
      shell.stdin?.write(untold)
    })
  untold += line
}

/** Where there is no shell, workers still leave by themselves once they look at their channel. */
function start(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Not in the terminal's group: Ctrl-C must not end it before its work.
    detached: true,
    cwd: '/',
  })
  child.on('error', () => {})
  child.stdin?.on('error', () => {})
  child.unref()
  ;(child.stdin as unknown as { unref(): void } | null)?.unref()
  return child
}
