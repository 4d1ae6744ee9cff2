// Whether this process is in the foreground of its terminal. In the background, after Ctrl-Z and `bg` or with `&`, a
// block that redraws itself would write into the command that the user is typing. Only Linux exposes this without a
// system call that Node lacks; elsewhere the caller has another way, or the answer is yes.
import { readFileSync } from 'node:fs'

export function isForeground(otherwise: () => boolean = () => true, read = readStat): boolean {
  const stat = read()
  if (stat === '') return otherwise()
  // `pid (name) state ppid pgrp session tty tpgid …`; the name may contain anything, also spaces and parentheses.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Without a controlling terminal there is no background.
  return foreground === undefined || Number(foreground) <= 0 || foreground === group
}

function readStat(): string {
  try {
    return readFileSync('/proc/self/stat', 'latin1')
  } catch {
    return ''
  }
}
