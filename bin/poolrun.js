#!/usr/bin/env node
// Start-up and nothing else: everything the command line does is in src/cli.
// Node's compile cache, where it has one, lies beside the code that it is made of: in a shared folder, which is Node's own
// choice, others could plant code. Where nothing can be written, as in an installation of root's, there is none.
require('node:module').enableCompileCache?.(require('node:path').join(__dirname, '../.cache'))
require('../dist/main.cjs')
