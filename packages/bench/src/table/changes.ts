import { differingKeys, type Fingerprint, fingerprint, type RunFolder } from '../run-folder/index.js';
import type { Cell } from './cells.js';

const piece = 'settings';
type Stored = Readonly<Record<string, Fingerprint>>;

const scoring = /^(?:dataset|ipc|network|width|depth|scoreOn|evaluation\..*)$/;
const ceiling = /^(?:dataset|network|width|depth|scoreOn|full\..*)$/;

/** The settings that a cell's figures depend on, flat. */
function settingsOf({ config, source }: Cell): Fingerprint {
  const all = Object.entries(fingerprint(config, '', '')).filter(
    ([name]) => !['seeds', 'seed', 'runtime', 'threads', 'environment'].includes(name),
  );
  if (source.kind === 'full') return Object.fromEntries(all.filter(([name]) => ceiling.test(name)));
  const own = source.kind === 'learned' ? all.filter(([name]) => !name.startsWith('full.')) : all.filter(([name]) => scoring.test(name));
  return Object.fromEntries([...own, ...(source.kind === 'initial' ? [['init', source.init]] : [])]);
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/** What of the table has changed since its folder was last worked on, one line per group of cells with the same change. */
export function changedCells(folder: Pick<RunFolder, 'readPiece'>, cells: readonly Cell[]): string[] {
  const stored = folder.readPiece<Stored>(piece) ?? {};
  const lines = new Map<string, string[]>();
  for (const cell of cells) {
    const before = stored[cell.id];
    if (before === undefined) continue;
    const now = settingsOf(cell);
    const names = differingKeys(before, now);
    if (names.length === 0) continue;
    const change = names.map((name) => `${name} was ${show(before[name])}, now ${show(now[name])}`).join('; ');
    lines.set(change, [...(lines.get(change) ?? []), cell.id]);
  }
  return [...lines].map(([change, ids]) => `${change}: done again where it matters: ${ids.join(', ')}`);
}

/** Keeps the settings of all cells for the next comparison. */
export async function keepSettings(folder: Pick<RunFolder, 'readPiece' | 'writePiece'>, cells: readonly Cell[]): Promise<void> {
  const stored = folder.readPiece<Stored>(piece) ?? {};
  await folder.writePiece(piece, { ...stored, ...Object.fromEntries(cells.map((cell) => [cell.id, settingsOf(cell)])) });
}
