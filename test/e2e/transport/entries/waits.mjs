process.once('message', () => {})
process.stdout.write('waiting\n')
