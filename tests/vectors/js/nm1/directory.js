// Section 2.11, heads: signed, one after the other, old ones under new ones.
import { Reader, concat, equal, refuse, u64, u8, utf8 } from './bytes.js';
import { consistent, includes, leafHash } from './merkle.js';
import { verify } from './primitives.js';

const SLACK = 600000n;

export const directoryHead = {
  body: (h) => concat(utf8('NMdh'), u8(1), u8(1), u8(0), u8(0), u64(h.revision), u64(h.ts), u64(h.leaves), h.mapRoot,
    h.logRoot),
  encode: (h) => concat(directoryHead.body(h), h.signature),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMdh');
    r.versionAndSuite();
    r.zeros(2);
    const out = { revision: r.u64(), ts: r.u64(), leaves: r.u64(), mapRoot: r.take(32), logRoot: r.take(32),
      signature: r.take(64) };
    r.done();
    if (out.revision === 0n) refuse('revisions count from 1');
    return out;
  },
  // dir_head32, and the leaf of the head log
  hash: (h) => leafHash(directoryHead.body(h)),
  signedBy: (h, key, org) => verify(key, h.signature, 'NM1/dirhead', org, directoryHead.body(h)),
};

const differ = (a, b) => !equal(directoryHead.body(a), directoryHead.body(b));

// 2.11.4: '' when the head held (a) may be replaced by b; else why not. 'fork' is the alarm.
export function advance(a, b, proof, key, org, localNow) {
  if (!directoryHead.signedBy(b, key, org)) return 'signature';
  if (b.ts > localNow + SLACK || b.revision < a.revision) return 'refused';
  if (b.revision === a.revision) return differ(a, b) ? 'fork' : '';
  const [sizeA, sizeB] = [Number(a.revision - 1n), Number(b.revision - 1n)];
  const holds = b.ts >= a.ts && consistent(sizeA, sizeB, proof.consistency, a.logRoot, b.logRoot)
    && includes(directoryHead.hash(a), sizeA, sizeB, proof.inclusion, b.logRoot);
  return holds ? '' : 'fork';
}

// 2.11.5: an older head under the one held
export function oldHead(old, held, inclusion, key, org) {
  if (!directoryHead.signedBy(old, key, org)) return 'signature';
  if (old.revision > held.revision) return 'refused';
  if (old.revision === held.revision) return differ(old, held) ? 'fork' : '';
  const [index, size] = [Number(old.revision - 1n), Number(held.revision - 1n)];
  return includes(directoryHead.hash(old), index, size, inclusion, held.logRoot) ? '' : 'fork';
}
