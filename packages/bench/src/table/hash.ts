import { createHash } from 'node:crypto';

/** JSON whose text does not depend on the order in which an object's members were set. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** A short name for everything that decides a piece of work's result: equal content, equal name. */
export const contentName = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
