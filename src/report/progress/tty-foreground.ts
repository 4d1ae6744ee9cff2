// Whether the terminal is ours: after Ctrl-Z and `bg`, or behind `&`, the shell is at work there, and something that
// redraws itself would write into what is being typed. Only Linux tells without a system call that Node does not have.
import { readFileSync } from 'node:fs'

export function isForeground(read = readStat): boolean {
  const stat = read()
  // `pid (name) state ppid pgrp session tty tpgid …`; the name may hold anything.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Without a controlling terminal there is no such thing as a background.
  return foreground === undefined || Number(foreground) <= 0 || foreground === group
}

function readStat(): string {
  try {
    return readFileSync('/proc/self/stat', 'latin1')
  } catch {
    return ''
  }
}
