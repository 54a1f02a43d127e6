// Runs turbo without telemetry, update notices or a remote cache: `node tooling/turbo.mjs run build`.
import { fileURLToPath } from 'node:url';

const turbo = new URL('../node_modules/turbo/bin/turbo', import.meta.url);
Object.assign(process.env, { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' });
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
await import(turbo.href);
