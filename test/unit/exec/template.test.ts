// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are parts of shell scripts
import { describe, expect, test } from 'vitest'
import { placeholderValue } from '../../../src/exec/placeholders.js'
import { parseTemplate, type Template } from '../../../src/exec/template.js'

const parse = (text: string, options: { shell?: string; spread?: boolean; append?: boolean } = {}) =>
  parseTemplate({ text, shell: '/bin/sh', spread: false, append: true, ...options })

function values(template: Template, item: unknown) {
  const facts = { item, index: 7, slot: 1 }
  const list = template.placeholders.map((placeholder) => {
    const value = placeholderValue(placeholder, facts)
    return 'text' in value ? value.text : `<${value.missing}>`
  })
  return { values: list, items: Array.isArray(item) ? item.map(String) : [] }
}

const show = (text: string, item: unknown, options = {}) => {
  const template = parse(text, options)
  return template.show(values(template, item))
}

describe('placeholders', () => {
  test.each([
    ['{}', 'a/b.tar.gz', 'a/b.tar.gz'],
    ['{.}', 'a/b.tar.gz', 'a/b.tar'],
    ['{/}', 'a/b.tar.gz', 'b.tar.gz'],
    ['{//}', 'a/b.tar.gz', 'a'],
    ['{/.}', 'a/b.tar.gz', 'b.tar'],
    ['{#}', 'x', '7'],
    ['{%}', 'x', '1'],
    ['{.}', 'a.d/b', 'a.d/b'],
    ['{.}', 'a/.bashrc', 'a/.bashrc'],
    ['{.}', '..', '..'],
    ['{.}', 'a.b/', 'a.b/'],
    ['{/}', 'a/b/', 'b'],
    ['{/}', '/', '/'],
    ['{//}', 'a', '.'],
    ['{//}', '/a', '/'],
    ['{item.a.b}', { a: { b: 'x y' } }, 'x y'],
    ['{item.a}', { a: { b: 1 } }, '{"b":1}'],
    ['{item.0}', ['x'], 'x'],
    ['{item.first name}', { 'first name': 'Ada' }, 'Ada'],
    ['{}', { a: 1 }, '{"a":1}'],
    ['{}', null, 'null'],
    ['{}', '', ''],
  ])('%s of %j is %j', (placeholder, item, expected) => {
    expect(placeholderValue(placeholder, { item, index: 7, slot: 1 })).toEqual({ text: expected })
  })

  test.each([
    ['{item.b}', { a: 1 }],
    ['{item.a.b}', { a: null }],
    ['{item.length}', 'text'],
    ['{item.constructor}', {}],
    ['{.}', 3],
    ['{/}', { a: 1 }],
    ['{//}', null],
  ])('%s of %j is missing, not empty', (placeholder, item) => {
    expect(placeholderValue(placeholder, { item, index: 0, slot: 0 })).toHaveProperty('missing')
  })
})

describe('the template of a shell command', () => {
  test('is a constant script; the values are its parameters', () => {
    const template = parse(`convert {} "{.} {#}" '{/}' # {}`)
    const [file, ...args] = template.argv({ values: ['a b', 'c', '7', 'd'], items: [] })
    expect([file, args[0]]).toEqual(['/bin/sh', '-c'])
    expect(args[1]).not.toContain('a b')
    expect(args.slice(2)).toEqual(['sh', 'a b', 'c', '7', 'd'])
  })

  test.each([['bash'], ['zsh']])('%s fails with the first command of a pipe that fails', (name) => {
    expect(parse('true {}', { shell: `/usr/bin/${name}` }).argv({ values: ['x'], items: [] })).toEqual([
      `/usr/bin/${name}`,
      '-o',
      'pipefail',
      '-c',
      'poolrun_1=$1; shift 1; true "${poolrun_1}"',
      name,
      'x',
    ])
  })

  test.each([
    ['${HOME} {}'],
    ["awk '{print $1}' {}"],
    ['echo {a,b} {}'],
    ['echo ${#} {}'],
    ["docker inspect -f '{{.}}' {}"],
    ["grep -E 'a{2}' {}"],
    ['f() { :; }; f {}'],
    ['echo {1..3} {}'],
  ])('leaves other braces of %s alone', (text) => {
    const template = parse(text)
    expect(template.placeholders).toEqual(['{}'])
    expect(template.argv({ values: ['X'], items: [] })[2]).toContain(text.replace(/ \{\}$/, ''))
  })

  test('{{}} is the text {}', () => {
    expect(show(`find . -exec grep {} {{}} \\;`, 'x')).toBe(`find . -exec grep x {} \\;`)
    expect(show(`echo '{"a":{{}}}' {}`, 'x')).toBe(`echo '{"a":{}}' x`)
  })

  test('without a placeholder the item is the last argument', () => {
    expect(show('gzip -9', 'a b.log')).toBe(`gzip -9 'a b.log'`)
    expect(show('gzip -9 \n', 'a')).toBe('gzip -9 a')
    expect(show('A=1 env', 'x')).toBe('A=1 env x')
    expect(parse('cat', { append: false }).placeholders).toEqual([])
  })

  test.each([
    ['convert {} {.}.webp', 'a b.png', `convert 'a b.png' 'a b.webp'`],
    ['echo {}', `it's`, `echo 'it'\\''s'`],
    ['echo "pre {} post"', 'a"b', `echo 'pre a"b post'`],
    ['echo "$HOME {}"', '`x` "$y"', 'echo "$HOME \\`x\\` \\"\\$y\\""'],
    [`echo 'pre {}'`, `a'b`, `echo 'pre a'\\''b'`],
    ['x={}; echo "$x"', 'a b', `x='a b'; echo "$x"`],
    ['cat {} > {.}.out', 'a b.txt', `cat 'a b.txt' > 'a b.out'`],
    ['dd if={}', 'a b', `dd 'if=a b'`],
    ['ls {}*', 'a b', `ls 'a b'*`],
    ['{} -v', 'if', `'if' -v`],
    ['echo "$(cat {})"', 'a b', `echo "$(cat 'a b')"`],
    ['echo {} # {}', 'a\nb', `echo 'a\nb' # {}`],
    ['echo {}', '', `echo ''`],
    ['echo "C:\\{}"', 'x', `echo 'C:\\x'`],
  ])('%s with %j is shown as %s', (text, item, expected) => {
    expect(show(text, item)).toBe(expected)
  })

  test('a value that cannot stand in its place is shown as a variable', () => {
    expect(show('cat <<EOF\n{}\nEOF', 'EOF\nx')).toBe(`poolrun_1='EOF\nx'; cat <<EOF\n\${poolrun_1}\nEOF`)
    expect(show('echo `cat {}`', 'a')).toBe(`poolrun_1=a; echo \`cat "\${poolrun_1}"\``)
  })

  test('commands that change the shell are shown apart from it', () => {
    const apart = (text: string) => {
      const template = parse(text)
      return template.showApart(values(template, 'a'))
    }
    expect(apart('gzip {}')).toBe('gzip a')
    expect(apart('cd {}')).toBe('(cd a)')
    expect(apart('cd {} && make')).toBe('(cd a && make)')
    expect(apart('exit 3 # {}')).toBe('(exit 3 # {}\n)')
  })

  test.each([
    ['echo {item}', '{item.name}'],
    ['echo {Item.name}', '{item.name}'],
    ['echo { item.name }', '{item.name}'],
    ['echo {item.}', '{item.name}'],
    ['echo {item[0]}', '{item.0}'],
    ['echo {..}', '{item.name}'],
    ['echo {/..}', '{item.name}'],
    ['echo ${item.name}', '{item.name}'],
    ['echo ${}', 'did you mean {}'],
    ["echo '{{item.name}}'", 'did you mean {item.name}'],
  ])('%s is a near miss', (text, hint) => {
    expect(() => parse(text)).toThrow(hint)
  })

  test.each([
    ['eval {}', 'eval'],
    ['command eval "x={}"', 'eval'],
    ["sh -c 'echo {}'", 'sh -c'],
    ['bash -ec "echo {}" _', 'bash -c'],
    ["sudo /bin/sh -c 'echo {}'", 'sh -c'],
    ["find . -exec sh -c 'x {}' ';'", 'sh -c'],
    ['sh -c', 'sh -c'],
    ["su me -c 'x {}'", 'su -c'],
    ['ssh host cat {}', 'the remote command of ssh'],
    ['ssh -p 22 host cat {}', 'the remote command of ssh'],
    ['watch {}', 'watch'],
    ['trap {} EXIT', 'trap'],
    ['alias x={}; x', 'alias'],
    ['echo $(( {} + 1 ))', 'arithmetic'],
    ['echo "$(({}+1))"', 'arithmetic'],
    ['echo $[{}]', 'arithmetic'],
    ['(( {} > 1 ))', 'arithmetic'],
    ['let {}', 'let'],
    ['[[ {} -eq 1 ]]', '[['],
    ['[ -v {} ]', 'expression'],
    ['a[{}]=1', 'index'],
    ['declare {}', 'declare'],
    ['declare -i x={}', 'declare'],
    ['printf -v {} x', 'printf'],
    ['read {}', 'read'],
    ['unset {}', 'unset'],
    ['echo ${x:-{}}', '${…}'],
    ['echo "${x#{}}"', '${…}'],
    ["cat <<'EOF'\n{}\nEOF", 'here-document'],
    ['cat <<{}\n{}\n', 'delimiter'],
    ['sh <<EOF\necho {}\nEOF', 'script'],
    ['bash <<< {}', 'script'],
    ["echo $'a{}'", "$'…'"],
    ['echo `echo \\`echo {}\\``', 'backticks'],
    ['ls *(e:{}:)', 'pattern'],
    ['{item.a} {item.b}', 'the name of the command'],
  ])('%s is refused', (text, where) => {
    expect(() => parse(text)).toThrow(where)
  })

  test('the message says which placeholder, where it is, why, and what to write instead', () => {
    expect(() => parse("true\nsh -c 'echo {}'")).toThrow(
      `invalid --exec template: {} at line 2, character 13 stands in the script of sh -c: sh would read the item as syntax; pass it as an argument: sh -c '… "$1"' _ {}`,
    )
  })

  test.each([
    [`sh -c 'echo "$1"' _ {}`],
    ['ssh {} uptime'],
    ['grep watch {}'],
    ['echo eval {}'],
    ['export x={}'],
    ['[ {} -eq 1 ]'],
    ['read x < {}'],
    ['printf %s {}'],
    ['cat {} | sh'],
    ['case {} in a|{}) echo {};; *) : ;; esac'],
    ['for f in {} b; do echo "$f"; done'],
    ['if [ -f {} ]; then cat {}; fi'],
    ['echo a#b {}'],
    [`echo "it's" {}`],
    ['echo \\" {}'],
    ["echo a # don't\necho {}"],
    ['echo $$ {} $# $1'],
    ['x=$(case a in a) echo {};; esac); echo "$x"'],
    ['diff <(sort {}) {}'],
    ['env -- {item.a} {item.b}'],
    ['f() { echo {}; }; f x'],
    ['set -- a; echo {}'],
  ])('%s is accepted', (text) => {
    expect(() => parse(text, { shell: '/bin/bash' })).not.toThrow()
  })

  test.each([
    ['echo "{}', 'double quote'],
    ["echo '{}", 'single quote'],
    ['echo `{}', 'backtick'],
    ['echo $(cat {}', '( is not closed'],
    ['cat <<EOF\n{}', 'here-document'],
    ['echo {} \\', 'backslash'],
    ['cat {} >', 'redirection'],
    ['', 'empty'],
    [' \n', 'empty'],
  ])('%j is not complete', (text, why) => {
    expect(() => parse(text)).toThrow(why)
  })

  test.each([
    ['echo a;'],
    ['echo a &'],
    ['for i in 1; do echo; done'],
    ['(true)'],
    ['echo a # b'],
    ['X=1'],
    ['f() { x; }'],
    ['cat <<E\nE'],
  ])('no item can be added to %j', (text) => {
    expect(() => parse(text)).toThrow('write {} where the item goes')
  })

  test.each([['/usr/bin/fish'], ['tcsh'], ['python3']])('--shell %s is refused', (shell) => {
    expect(() => parse('echo {}', { shell })).toThrow('POSIX')
  })
})

describe('a template for several items', () => {
  const parseList = (text: string, shell = '/bin/sh') => parse(text, { spread: true, shell })

  test('a bare {} stands for all of them', () => {
    const template = parseList('rm -- {} {#}')
    expect(template.argv({ values: ['', '7'], items: ['a b', 'c'] }).slice(4)).toEqual(['', '7', 'a b', 'c'])
    expect(template.show({ values: ['', '7'], items: ['a b', 'c'] })).toBe(`rm -- 'a b' c 7`)
  })

  test('without a placeholder all are appended', () => {
    expect(parseList('rm --').show({ values: [''], items: ['a b', 'c'] })).toBe(`rm -- 'a b' c`)
  })

  test.each([
    ['echo "{}"'],
    ["echo '{}'"],
    ['echo a{}'],
    ['echo {}b'],
    ['echo {}{}'],
    ['echo {.}'],
    ['echo {item.a}'],
    ['cat > {}'],
    ['f() { echo {}; }; f'],
    ['set -- x; echo {}'],
    ['{} x'],
  ])('%s is refused', (text) => {
    expect(() => parseList(text)).toThrow('invalid --exec template')
    if (!/set|f\(\)|cat|\{\} x/.test(text))
      expect(() => parseList(text, 'none')).toThrow('invalid --exec template')
  })
})

describe('a template without a shell', () => {
  const none = (text: string, spread = false) => parse(text, { shell: 'none', spread })

  test('is split into words once: quotes group, nothing else is special', () => {
    const template = none(`prog 'a b' "c {}" x{.}y $HOME \\ ''`)
    expect(template.argv({ values: ['1 2', '$(x)'], items: [] })).toEqual([
      'prog',
      'a b',
      'c 1 2',
      'x$(x)y',
      '$HOME',
      '\\',
      '',
    ])
    expect(none('prog').argv({ values: ['a b'], items: [] })).toEqual(['prog', 'a b'])
    expect(none('prog {}', true).argv({ values: [''], items: ['a', 'b c'] })).toEqual(['prog', 'a', 'b c'])
    expect(template.show({ values: ['1 2', '$(x)'], items: [] })).toBe(
      `prog 'a b' 'c 1 2' 'x$(x)y' '$HOME' '\\' ''`,
    )
  })

  test.each([["sh -c 'echo {}'"], ['prog "{}'], [''], ['echo {item}']])('%s is refused', (text) => {
    expect(() => none(text)).toThrow('invalid --exec template')
  })
})
