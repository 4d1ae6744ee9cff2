// What a command prints to stderr: passed on in whole lines, so that those of commands that run at the same time do not
// mix, and its last lines kept for the failure.
const TAIL_LINES = 10
/** A longer line is passed on in pieces. */
const MAX_LINE_BYTES = 1024 * 1024
/** Of each line in the tail. */
const MAX_TAIL_CHARACTERS = 2000
const LF = 0x0a

export class StderrLines {
  readonly #write: (bytes: Buffer) => void
  #rest: Buffer[] = []
  #restBytes = 0
  readonly #tail: string[] = []

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write
  }

  push(bytes: Buffer): void {
    const end = bytes.lastIndexOf(LF) + 1
    if (end > 0) {
      this.#pass(Buffer.concat([...this.#rest, bytes.subarray(0, end)]))
      this.#rest = []
      this.#restBytes = 0
    }
    if (end === bytes.length) return
    this.#rest.push(bytes.subarray(end))
    this.#restBytes += bytes.length - end
    if (this.#restBytes > MAX_LINE_BYTES) this.end()
  }

  /** The rest is a line, too. */
  end(): void {
    if (this.#restBytes > 0) this.#pass(Buffer.concat([...this.#rest, Buffer.of(LF)]))
    this.#rest = []
    this.#restBytes = 0
  }

  get tail(): readonly string[] {
    return this.#tail
  }

  #pass(lines: Buffer): void {
    this.#write(lines)
    let end = lines.length - 1
    const last: string[] = []
    while (end >= 0 && last.length < TAIL_LINES) {
      const start = end === 0 ? 0 : lines.lastIndexOf(LF, end - 1) + 1
      last.unshift(
        lines
          .toString('utf8', start, Math.min(end, start + 4 * MAX_TAIL_CHARACTERS))
          .slice(0, MAX_TAIL_CHARACTERS),
      )
      end = start - 1
    }
    this.#tail.push(...last)
    this.#tail.splice(0, this.#tail.length - TAIL_LINES)
  }
}
