import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { ConfigError } from '@bpc/core';
import { LineCounter, parseDocument } from 'yaml';
import type { Overrides } from './schema.js';

/** What stops a text from being JSON, and whether it is only that the text ends too early. */
function jsonProblem(source: string): { readonly message: string; readonly cut: boolean } | undefined {
  try {
    JSON.parse(source);
    return undefined;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const position = /position (\d+)/.exec(message)?.[1];
    return { message, cut: /end of JSON|Unterminated/.test(message) || Number(position ?? -1) >= source.length };
  }
}

/** Not every version of V8 says where JSON is wrong, so look for the first line whose addition breaks it. */
function jsonErrorLine(source: string): number {
  const lines = source.split('\n');
  const broken = lines.findIndex((_, i) => jsonProblem(lines.slice(0, i + 1).join('\n'))?.cut === false);
  return broken < 0 ? lines.length : broken + 1;
}

function parseJson(path: string, source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      `config file ${path}, line ${jsonErrorLine(source)}: not valid JSON: ${message}`,
      'correct the file, or use YAML, which is more forgiving',
      { cause },
    );
  }
}

function parseYaml(path: string, source: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new ConfigError(
      `config file ${path}, line ${lines.linePos(error.pos[0]).line}: not valid YAML: ${error.message}`,
      'correct the file',
      { cause: error },
    );
  }
  return document.toJS();
}

/**
 * Reads a configuration file: JSON when its name ends in `.json`, else YAML.
 *
 * @throws ConfigError naming file and line when it cannot be read or parsed, or is not a mapping.
 */
export function readConfigFile(path: string): Overrides {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(
      `cannot read config file ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      'pass --config with a readable JSON or YAML file',
      { cause },
    );
  }
  const value = extname(path).toLowerCase() === '.json' ? parseJson(path, source) : parseYaml(path, source);
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigError(`config file ${path}, line 1: expected a mapping of option names to values`, 'write lines such as "ipc: 10"');
  }
  return { ...value };
}
