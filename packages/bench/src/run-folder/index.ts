export * from './atomic-file.js';
export * from './fingerprint.js';
export * from './run-folder.js';
