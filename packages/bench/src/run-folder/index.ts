export * from './fingerprint.js';
export * from './run-folder.js';
