// Serves the bundled page on the loopback interface, under the Content-Security-Policy that the address asks for.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, extname, join } from 'node:path';

const TYPES = /** @type {Record<string, string>} */ ({ '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' });

/** What pages may do; `open` sends no policy. `connect-src` and `worker-src` are what onnxruntime-web needs besides. */
export const POLICIES = /** @type {Record<string, string | undefined>} */ ({
  open: undefined,
  'no-eval': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
  'no-codegen': "default-src 'none'; script-src 'self'; connect-src 'self'",
});

const PAGE = '<!doctype html><meta charset="utf-8"><title>bpc</title><script type="module" src="/page.js"></script>';

/**
 * @param {{ bundle: string, ort: string, page?: string }} options folders of the page's script and of onnxruntime-web's files,
 *   and the page, if it is another one
 * @returns {Promise<{ origin: string, close: () => Promise<void> }>}
 */
export async function serve({ bundle, ort, page = PAGE }) {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      const policy = POLICIES[searchParams.get('policy') ?? 'open'];
      response.writeHead(200, { 'content-type': 'text/html', ...(policy === undefined ? {} : { 'content-security-policy': policy }) });
      response.end(page);
      return;
    }
    // Names only: no path leaves the two folders.
    const file = join(pathname.startsWith('/ort/') ? ort : bundle, basename(pathname));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve(undefined));
      }),
  };
}
