export * from './error-wire.js';
export * from './file-store.js';
