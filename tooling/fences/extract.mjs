// Finds the TypeScript of the documentation: fences in Markdown files and in the `@example` blocks of doc comments.

/**
 * @typedef {{ file: string, line: number, code: string, run: boolean, from?: string }} Fence
 *   `line` is that of the first line of code; `run` is false for fences marked `ts no-run`; `from` is the path in a fence
 *   marked `ts from=PATH`, which shows a file that is built and run elsewhere.
 */

const OPENING = /^(\s*)```(ts|typescript)(\s+[^`]*)?$/;

/**
 * The TypeScript fences of a Markdown text.
 *
 * @param {string} file name used in messages
 * @param {string} text
 * @param {number} [firstLine] number of the text's first line in the file
 * @returns {Fence[]}
 */
export function markdownFences(file, text, firstLine = 1) {
  /** @type {Fence[]} */
  const fences = [];
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const opening = OPENING.exec(lines[i] ?? '');
    if (opening === null) {
      // Skip fences in other languages as a whole: they may show a ```ts line as text.
      const other = /^(\s*)(`{3,}|~{3,})/.exec(lines[i] ?? '');
      if (other !== null) {
        const closing = new RegExp(`^\\s*${other[2]}\\s*$`);
        while (++i < lines.length && !closing.test(lines[i] ?? ''));
      }
      continue;
    }
    const [, indent = '', , marks = ''] = opening;
    const start = i + 1;
    while (++i < lines.length && (lines[i] ?? '').trim() !== '```');
    if (i === lines.length) throw new Error(`${file}:${firstLine + start - 1}: the fence is not closed`);
    const code = lines.slice(start, i).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()));
    const from = /\bfrom=(\S+)/.exec(marks)?.[1];
    const run = from === undefined && !/\bno-run\b/.test(marks);
    fences.push({ file, line: firstLine + start, code: code.join('\n'), run, ...(from !== undefined && { from }) });
  }
  return fences;
}

/**
 * The TypeScript fences of the doc comments of a source file. A comment's text is Markdown once its leading stars are gone.
 *
 * @param {string} file
 * @param {string} source
 * @returns {Fence[]}
 */
export function commentFences(file, source) {
  return [...source.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((comment) => {
    const line = source.slice(0, comment.index).split('\n').length;
    const text = comment[0]
      .replace(/\*\/$/, '')
      .split('\n')
      .map((content) => content.replace(/^\s*\/?\*{1,2} ?/, ''))
      .join('\n');
    return markdownFences(file, text, line);
  });
}
