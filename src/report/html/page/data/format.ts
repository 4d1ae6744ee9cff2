// How the page writes durations and numbers.

/** `0.25 ms`, `12.3 ms`, `4.56 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${Number(ms.toFixed(2))} ms`
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`
  if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** At most this many characters, `…` included. */
export function cut(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters - 1)}…` : text
}

/** With a comma after each three digits, whatever the reader's locale. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en-US')
}
