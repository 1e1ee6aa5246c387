// Section 3.6: packets of many devices in one.
import { Reader, refuse } from './bytes.js';

const MOST_DONE = 1000;

function packets(r) {
  const out = [];
  while (r.left > 0) {
    const device = r.take(16);
    out.push({ device, bytes: r.take(r.u32()) });
  }
  r.done();
  return out;
}

export function parseUp(bytes) {
  const r = new Reader(bytes);
  r.magic('NMub');
  r.oneOf(1);
  r.zeros(3);
  return { number: r.u64(), dropped: r.u64(), waiting: r.u64(), packets: packets(r) };
}

export function parseDown(bytes) {
  const r = new Reader(bytes);
  r.magic('NMdb');
  r.oneOf(1);
  r.zeros(1);
  const n = r.u16();
  if (n > MOST_DONE) refuse('too many batches done');
  const done = Array.from({ length: n }, () => r.u64());
  return { done, packets: packets(r) };
}
