// Sends more than a pipe holds, prints text without a line end, and exits with code 7 once everything was sent.
process.once('message', ({ token }) => {
  const COUNT = 50
  for (let n = 0; n < COUNT; n++) {
    process.stdout.write(`out ${n}\n`)
    process.stderr.write(`err ${n}\n`)
    const message = { token, type: 'warning', message: `${n} ${'x'.repeat(20_000)}` }
    process.send(message, undefined, undefined, n === COUNT - 1 ? () => process.exit(7) : undefined)
  }
  process.stdout.write('last words')
})
