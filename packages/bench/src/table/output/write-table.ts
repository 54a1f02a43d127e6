import { writeAtomically } from '../../data/atomic-file.js';
import type { RunFolder } from '../../run-folder/index.js';
import { parseTableResults, type TableResults } from '../table-results.js';
import { longCsv, wideCsv } from './csv.js';
import { latexTable } from './latex.js';
import { markdownTable } from './markdown.js';

/** Where the files of a table are. */
export interface TablePaths {
  readonly results: string;
  readonly csv: string;
  readonly wideCsv: string;
  readonly markdown: string;
  readonly latex: string;
  readonly page: string;
}

/** Writes a table in every format, each file complete or not at all. @throws StorageError; ConfigError if the results are not valid. */
export async function writeTable(folder: Pick<RunFolder, 'file'>, results: TableResults): Promise<TablePaths> {
  const paths: TablePaths = {
    results: folder.file('results.json'),
    csv: folder.file('table.csv'),
    wideCsv: folder.file('table-wide.csv'),
    markdown: folder.file('table.md'),
    latex: folder.file('table.tex'),
    page: folder.file('table.html'),
  };
  // The chart library would slow every start of the command.
  const { tablePage } = await import('./page.js');
  const write = (path: string, text: string) => writeAtomically(path, (handle) => handle.writeFile(text));
  await write(paths.results, `${JSON.stringify(parseTableResults(results), null, 2)}\n`);
  await write(paths.csv, longCsv(results));
  await write(paths.wideCsv, wideCsv(results));
  await write(paths.markdown, markdownTable(results));
  await write(paths.latex, latexTable(results));
  await write(paths.page, tablePage(results));
  return paths;
}
