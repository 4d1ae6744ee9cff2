// Detects the kind of a file from its first bytes, never from its name.
export type FileKind = 'empty' | 'png' | 'gzip' | 'pdf' | 'json' | 'text' | 'binary'

const MAGIC: readonly (readonly [FileKind, readonly number[]])[] = [
  ['png', [0x89, 0x50, 0x4e, 0x47]],
  ['gzip', [0x1f, 0x8b]],
  ['pdf', [0x25, 0x50, 0x44, 0x46]],
]

export function classify(head: Uint8Array): FileKind {
  if (head.length === 0) return 'empty'
  for (const [kind, magic] of MAGIC) {
    if (magic.every((byte, i) => head[i] === byte)) return kind
  }
  if (head.includes(0)) return 'binary'
  const text = new TextDecoder().decode(head).trimStart()
  return text.startsWith('{') || text.startsWith('[') ? 'json' : 'text'
}
