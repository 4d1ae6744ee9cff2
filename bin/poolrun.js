#!/usr/bin/env node
// Only starts poolrun; the command line itself is in src/cli.
// Node's compile cache (Node 22 and newer) is kept inside the installation. Node's own choice is a shared temporary folder,
// where other users could plant code. If the installation is not writable, there is no cache.
require('node:module').enableCompileCache?.(require('node:path').join(__dirname, '../.cache'))
require('../dist/main.cjs')
