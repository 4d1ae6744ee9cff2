#!/usr/bin/env node
// Start-up and nothing else: everything the command line does is in src/cli.
require('node:module').enableCompileCache?.()
require('../dist/main.cjs')
