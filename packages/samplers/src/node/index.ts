export { type NodeWorkersOptions, nodeWorkers } from './node-workers.js';
