// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are parts of shell scripts
// Random bytes through every place of a template and every shell there is: what the command gets is what the item was.
import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseTemplate } from '../../../src/exec/template.js'
import { seeded } from '../../unit/policy/seeded.js'

const FOLDERS = (process.env.PATH ?? '').split(':')
const SHELLS = ['sh', 'dash', 'bash', 'zsh'].map((name) => ({
  name,
  path: FOLDERS.map((folder) => `${folder}/${name}`).find((path) => existsSync(path)),
}))

/** `sh` is most often one of the others. */
const DIFFERENT = SHELLS.filter(
  ({ path }, i) =>
    path === undefined ||
    SHELLS.findLastIndex((shell) => shell.path && realpathSync(shell.path) === realpathSync(path)) === i,
)

/** Each prints the item, with a `<` before it and a `>` after it, and ends with a NUL. */
const CONTEXTS = {
  plain: `printf '<%s>\\0' {}`,
  'in a word': `printf '%s\\0' \\<{}\\>`,
  'double quotes': `printf '%s\\0' "<{}>"`,
  'single quotes': `printf '%s\\0' '<{}>'`,
  'after a backslash in double quotes': `printf '%s\\0' "<\\{}>" | sed 's/^<[\\]/</'`,
  assignment: `x='<'{}'>'; printf '%s\\0' "$x"`,
  'command substitution': `printf '%s\\0' "$(printf '<%s>' {})"`,
  'command substitution in quotes in it': `printf '%s\\0' "$(printf '%s' "<{}>")"`,
  backticks: "printf '%s\\0' \"`printf '<%s>' {}`\"",
  'backticks without quotes around': "x=`printf '<%s>' {}`; printf '%s\\0' \"$x\"",
  comment: `printf '<%s>\\0' {} # it's "{}" \`{} $(`,
  function: `f() { printf '<%s>\\0' {}; }; f wrong`,
  'after set': `set -- wrong; printf '<%s>\\0' {}`,
  subshell: `(printf '<%s>\\0' {})`,
  'here-document': `cat <<EOF\n<{}>\nEOF\nprintf '\\0'`,
  'here-document with tabs cut': `cat <<-EOF\n\t<{}>\n\tEOF\nprintf '\\0'`,
  'here-document in a substitution': `x=$(cat <<EOF\n<{}>\nEOF\n); printf '%s\\0' "$x"`,
  case: `case {} in wrong) ;; {}) printf '<%s>\\0' {};; esac`,
  for: `for x in {}; do printf '<%s>\\0' "$x"; done`,
  condition: `if [ x{} = x{} ]; then printf '<%s>\\0' {}; fi`,
  'a command of its own': `sh -c 'printf "<%s>\\0" "$1"' _ {}`,
  pipe: `printf '<%s>\\0' {} | cat`,
} as const

const HOSTILE = [
  '',
  ' ',
  '$(touch injected)',
  '`touch injected`',
  '; touch injected; #',
  "'; touch injected; '",
  '"; touch injected; "',
  '\nEOF\ntouch injected\ncat <<EOF\n',
  '*',
  '~',
  '-n',
  '\\',
  '\\\\"\'',
  '{a,b}',
  '${HOME}',
  '!!',
  '&& touch injected',
  '> injected',
  'a[$(touch injected)]',
  'x'.repeat(5000),
].map((text) => Buffer.from(text))

function randomValues(seed: number, count: number): Buffer[] {
  const { int } = seeded(seed)
  const special = Buffer.from('\'"\\`$(){}[]<>|&;*?~!# \t\n\r=%')
  return Array.from({ length: count }, () =>
    Buffer.from(
      // A few long ones: the shells start processes for each value, not for each byte.
      Array.from({ length: int(96) }, () => (int(2) === 0 ? special[int(special.length)]! : 1 + int(255))),
    ),
  )
}

describe.each(DIFFERENT)('$name', ({ name, path }) => {
  test.skipIf(path === undefined)(
    path === undefined
      ? `is not on this machine: its quoting is not tested (SKIPPED)`
      : 'gives every place the bytes of the item',
    () => {
      const values = [...HOSTILE, ...randomValues(17, 10)]
      const contexts = Object.entries(CONTEXTS)
      const template = parseTemplate({
        text: contexts.map(([, text]) => text).join('\n'),
        shell: path!,
        spread: false,
        append: false,
      })
      const [file, ...args] = template.argv({ values: [], items: [] })
      // xargs, because Node passes on no arguments that are not UTF-8.
      const { stdout, stderr, status } = spawnSync('xargs', ['-0', '-n', '1', file, ...args], {
        input: Buffer.concat(values.map((value) => Buffer.concat([value, Buffer.of(0)]))),
        env: { PATH: process.env.PATH, LC_ALL: 'C' },
        maxBuffer: 1e8,
      })
      expect(stderr.toString('latin1')).toBe('')
      expect(status).toBe(0)
      const printed = splitAt0(stdout)
      values.forEach((value, i) => {
        contexts.forEach(([context], j) => {
          const got = printed[i * contexts.length + j]!.toString('latin1').replace(/\n$/, '')
          expect({ name, context, got }).toEqual({
            name,
            context,
            got: `<${value.toString('latin1')}>`,
          })
        })
      })
      expect(printed).toHaveLength(values.length * contexts.length)
    },
  )
})

function splitAt0(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, from)) {
    parts.push(bytes.subarray(from, at))
    from = at + 1
  }
  return parts
}
