#!/bin/sh
':' //; exec node -- "$0" "$@"
// For a shell the line above starts Node; for Node it is a string. `--` keeps Node from looking for a file that an
// --env-file of ours names (nodejs/node#54232).
// Only starts poolrun; the command line itself is in src/cli.
// Node's compile cache (Node 22 and newer) is kept inside the installation. Node's own choice is a shared temporary folder,
// where other users could plant code. If the installation is not writable, there is no cache.
require('node:module').enableCompileCache?.(require('node:path').join(__dirname, '../.cache'))
require('../dist/main.cjs')
