// What reports call an item: its index, and its text on one short line.
import { previewText } from '../errors/render/sanitise.js'
import { itemRanges, rangeText } from '../framing/items.js'
import type { Chunk } from '../model.js'

/** As much as the local frame of a traceback shows. */
const MAX_CHARACTERS = 60

/** `item 16: photos/52.jpg`. The item of an `apply` without arguments, for example, has no text. */
export function itemTitle(index: number, text: string): string {
  return text === '' ? `item ${index}` : `item ${index}: ${text}`
}

/** The sanitised texts of `count` items of a chunk, found in one pass: each by itself would scan the chunk again. */
export function shortTexts({ payload }: Chunk, from: number, count: number): string[] {
  if (payload.kind === 'values')
    return payload.values.slice(from, from + count).map((value) => shortText(String(value)))
  const texts: string[] = []
  let offset = 0
  for (const range of itemRanges(payload)) {
    if (offset >= from + count) break
    if (offset++ >= from) texts.push(shortText(rangeText(payload, range)))
  }
  return texts
}

function shortText(text: string): string {
  return previewText(text, MAX_CHARACTERS)
}
