#!/usr/bin/env node
import { endQuietlyWhenUnread } from './broken-pipe.js';
import { runCli } from './run-cli.js';

endQuietlyWhenUnread(process);
process.exitCode = await runCli(process.argv.slice(2));
