import { readFileSync } from 'node:fs';

/** Time of all processors since the machine started, and how much of it another virtual machine took, in clock ticks. */
type Ticks = { readonly total: number; readonly stolen: number };

function readTicks(): Ticks | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are part of user.
    const ticks = line.split(/\s+/).slice(1, 9).map(Number);
    const stolen = ticks[7];
    return stolen === undefined ? undefined : { total: ticks.reduce((a, b) => a + b, 0), stolen };
  } catch {
    return undefined;
  }
}

/** Share of processor time that the host gave to others while a bench ran, in percent; undefined where nothing tells it. */
export function stealMeter(read: () => Ticks | undefined = readTicks): () => number | undefined {
  const begun = read();
  return () => {
    const now = read();
    if (begun === undefined || now === undefined || now.total <= begun.total) return undefined;
    return Math.round((1000 * (now.stolen - begun.stolen)) / (now.total - begun.total)) / 10;
  };
}
