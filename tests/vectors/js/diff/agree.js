// How a case says that the two sides differ.
import { Malformed, hex } from '../nm1/bytes.js';

export class Disagreement extends Error {}

export function agree(condition, what) {
  if (!condition) throw new Disagreement(what);
}

export function sameBytes(ours, theirs, what) {
  const other = typeof theirs === 'string' ? theirs : theirs && hex(theirs);
  if (!ours || !other || hex(ours) !== other)
    throw new Disagreement(`${what}: ${ours && hex(ours).slice(0, 200)} here, ${other && other.slice(0, 200)} there`);
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
