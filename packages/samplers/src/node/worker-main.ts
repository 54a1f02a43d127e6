import { parentPort } from 'node:worker_threads';
import { chainHost } from './chain-host.js';
import type { ToWorker } from './protocol.js';

const port = parentPort;
if (port === null) throw new Error('worker-main.js is started by nodeWorkers(), not by hand');
const host = chainHost((message, transfer = []) => port.postMessage(message, [...transfer]));
port.on('message', (message: ToWorker) => host.receive(message));
