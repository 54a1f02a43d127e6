// Removes what builds, tests and documentation leave behind; node_modules and downloaded data stay.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const workspaces = ['packages', 'examples'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)));
const generated = ['.cache', '.turbo', 'coverage', 'docs/api', 'docs/.vitepress/cache', 'docs/.vitepress/dist'];

for (const path of [...generated, ...workspaces.flatMap((workspace) => [join(workspace, 'dist'), join(workspace, '.turbo')])]) {
  rmSync(join(root, path), { recursive: true, force: true });
}
