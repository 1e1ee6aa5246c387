// Section 2.1, Merkle trees of RFC 6962, with the verifiers of RFC 9162 (2.1.3.2 and 2.1.4.2). Sizes are numbers.
//
// The provers follow the definitions word by word, over slices of the list of leaf hashes.
import { concat, equal, zeros } from './bytes.js';
import { sha256 } from './primitives.js';

export const leafHash = (data) => sha256(concat(new Uint8Array([0]), data));
export const nodeHash = (left, right) => sha256(concat(new Uint8Array([1]), left, right));

// the largest power of two below n
function split(n) {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

// MTH
export function root(leaves) {
  if (leaves.length === 0) return sha256(zeros(0));
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return nodeHash(root(leaves.slice(0, k)), root(leaves.slice(k)));
}

// PATH
export function inclusion(m, leaves) {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return m < k ? [...inclusion(m, leaves.slice(0, k)), root(leaves.slice(k))]
    : [...inclusion(m - k, leaves.slice(k)), root(leaves.slice(0, k))];
}

// PROOF; a first size of 0 or of all leaves needs none
export function consistency(m, leaves) {
  return m === 0 || m === leaves.length ? [] : subproof(m, leaves, true);
}

function subproof(m, leaves, whole) {
  if (m === leaves.length) return whole ? [] : [root(leaves)];
  const k = split(leaves.length);
  return m <= k ? [...subproof(m, leaves.slice(0, k), whole), root(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), root(leaves.slice(0, k))];
}

const half = (n) => Math.floor(n / 2);
const odd = (n) => n % 2 === 1;

export function includes(leaf, index, size, proof, expected) {
  if (index >= size) return false;
  let [fn, sn, r] = [index, size - 1, leaf];
  for (const p of proof) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      r = nodeHash(p, r);
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      r = nodeHash(r, p);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(r, expected);
}

export function consistent(first, second, proof, firstRoot, secondRoot) {
  if (first > second) return false;
  if (first === 0) return proof.length === 0 && equal(firstRoot, sha256(zeros(0)));
  if (first === second) return proof.length === 0 && equal(firstRoot, secondRoot);
  const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : [...proof];
  if (path.length === 0) return false;
  let [fn, sn] = [first - 1, second - 1];
  while (odd(fn)) [fn, sn] = [half(fn), half(sn)];
  let [fr, sr] = [path[0], path[0]];
  for (const c of path.slice(1)) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      [fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, c);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(fr, firstRoot) && equal(sr, secondRoot);
}
