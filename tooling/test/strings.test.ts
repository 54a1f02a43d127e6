import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findings, forbiddenStrings } from '../strings.mjs';

describe('forbidden strings', () => {
  it.each([
    ['home folders', ['', 'home', 'ada', 'data'].join('/')],
    ['temporary folders', `writes to ${['', 'tmp', 'run1'].join('/')}`],
    ['registry hosts', `https://${['registry', 'npmjs', 'org'].join('.')}/left-pad`],
    ['conflict marks', `${'<'.repeat(7)} HEAD`],
  ])('are found: %s', (_name, text) => {
    expect(forbiddenStrings(`first\n${text}`)).toEqual([expect.objectContaining({ line: 2 })]);
  });

  it('are not seen in relative paths and addresses', () => {
    expect(forbiddenStrings('see docs/home/index.md, ./work/it, https://example.org/home/page and ~/work/it')).toEqual([]);
  });

  it('occur in no tracked file', () => {
    expect(findings(join(import.meta.dirname, '../..'))).toEqual([]);
  });
});
