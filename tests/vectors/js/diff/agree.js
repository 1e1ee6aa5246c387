// How a case says that the two sides differ.
import { Malformed, hex } from '../nm1/bytes.js';

export class Disagreement extends Error {}

const cut = (text) => String(text).slice(0, 200);

export function agree(condition, what) {
  if (!condition) throw new Disagreement(what);
}

// theirs: bytes, or their hex
export function sameBytes(ours, theirs, what) {
  const [here, there] = [ours, theirs].map((side) => (side instanceof Uint8Array ? hex(side) : side));
  if (typeof here !== 'string' || here !== there) throw new Disagreement(`${what}: ${cut(here)} here, ${cut(there)} there`);
}

export function sameValue(ours, theirs, what) {
  const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)];
  if (a !== b) throw new Disagreement(`${what}: ${a} here, ${b} there`);
}

// what f answers, or null where it throws Malformed
export function orNull(f) {
  try {
    return f();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
