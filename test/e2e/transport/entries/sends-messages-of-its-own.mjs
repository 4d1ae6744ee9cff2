process.once('message', ({ token }) => {
  for (const message of ['text', 5, null, { type: 'ready' }, { token: 'wrong', type: 'ready' }])
    process.send(message)
  process.send({ token, type: 'ready', exports: {} }, undefined, undefined, () => process.exit(0))
})
