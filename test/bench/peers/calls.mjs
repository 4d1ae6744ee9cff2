// The calls that every pool makes of the tasks in task.cjs: what they are given, and whether the result is right.
const MEGABYTE = 1_000_000
const bytes = Buffer.alloc(MEGABYTE, 1)

export function argumentOf(task, n) {
  if (task === 'increment') return n
  return task === 'size' ? bytes : MEGABYTE
}

export function isRight(task, n, result) {
  if (task === 'increment') return result === n + 1
  return (task === 'size' ? result : result.length) === MEGABYTE
}
