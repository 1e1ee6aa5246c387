// Section 2.11.7: a revision of the directory whole; {head, leaves}, or why it is not believed.
import { Reader, compare, equal, refuse, utf8, concat, u8 } from './bytes.js';
import { directoryHead } from './directory.js';
import { encodeLeaf, keyOf, node, takeLeaf } from './map.js';

export const encodeDump = (head, leaves) =>
  concat(utf8('NMdd'), u8(1), u8(0), u8(0), u8(0), directoryHead.encode(head),
    ...[...leaves].sort((a, b) => compare(keyOf(a), keyOf(b))).map(encodeLeaf));

export function parseDump(bytes) {
  const r = new Reader(bytes);
  r.magic('NMdd');
  r.oneOf(1);
  r.zeros(3);
  const head = directoryHead.parse(r.take(160));
  const leaves = [];
  while (r.left > 0) {
    const leaf = takeLeaf(r);
    if (leaves.length > 0 && compare(keyOf(leaves.at(-1)), keyOf(leaf)) >= 0) refuse('the leaves are not in order');
    leaves.push(leaf);
  }
  if (BigInt(leaves.length) !== head.leaves || !equal(node(leaves), head.mapRoot)) refuse('not the map of its head');
  return { head, leaves };
}
