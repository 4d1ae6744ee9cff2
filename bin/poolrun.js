#!/usr/bin/env node
// Start-up and nothing else: everything the command line does is in src/cli.
require('../dist/main.cjs')
