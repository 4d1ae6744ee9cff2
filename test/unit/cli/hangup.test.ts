import { describe, expect, it } from 'vitest'
import { type HangupFacts, isHangupIgnored } from '../../../src/cli/hangup.js'

const NONE: HangupFacts = {
  env: {},
  parentStatus: undefined,
  stdinInfo: undefined,
  isStdinNull: false,
  writesToNohupFile: false,
}
const status = (ignored: string) => `Name:\tsh\nSigBlk:\t0000000000000000\nSigIgn:\t${ignored}\nSigCgt:\t0\n`

describe('isHangupIgnored', () => {
  it.each<[string, Partial<HangupFacts>, boolean]>([
    ['nothing', {}, false],
    ['a shell that named nohup', { env: { _: '/usr/bin/nohup' } }, true],
    ['a shell that named another command', { env: { _: '/usr/bin/node' } }, false],
    ['a command whose name only ends like it', { env: { _: '/opt/my-nohup' } }, false],
    ['a script that ignores SIGHUP', { parentStatus: status('0000000000000001') }, true],
    ['one that ignores SIGHUP, SIGINT and SIGQUIT', { parentStatus: status('0000000000000007') }, true],
    ['a Node parent, which ignores SIGPIPE and SIGXFSZ', { parentStatus: status('0000000001001000') }, false],
    ['a parent that waits in system()', { parentStatus: status('0000000000000006') }, false],
    ['a parent that shows no signals', { parentStatus: 'Name:\tsh\n' }, false],
    ['the stdin of nohup', { isStdinNull: true, stdinInfo: 'pos:\t0\nflags:\t0100001\nmnt_id:\t9\n' }, true],
    ['an empty stdin', { isStdinNull: true, stdinInfo: 'pos:\t0\nflags:\t0100000\nmnt_id:\t9\n' }, false],
    ['a null device open for both', { isStdinNull: true, stdinInfo: 'flags:\t0100002\n' }, false],
    ['a file that stdin cannot read', { stdinInfo: 'pos:\t0\nflags:\t0100001\n' }, false],
    ['nohup.out', { writesToNohupFile: true }, true],
  ])('%s: %j', (_what, facts, expected) => {
    expect(isHangupIgnored({ ...NONE, ...facts })).toBe(expected)
  })
})
