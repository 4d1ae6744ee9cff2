console.log(JSON.stringify({ extra: process.env.EXTRA, path: process.env.PATH, execArgv: process.execArgv }))
process.stdin.on('data', () => console.log('stdin is not empty')).on('end', () => process.exit(0))
