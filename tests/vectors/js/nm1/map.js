// Sections 2.11.1 and 2.11.3: the directory's map, a prefix tree over 128-bit keys; paths and absence.
//
// A leaf is {kind, content}: kind 1 a user's (user16 ‖ u32 n ‖ n·32), kind 2 an address's (attest_hash32 ‖ user16).
import { Reader, concat, equal, label, refuse, u32, u8, zeros } from './bytes.js';
import { leafHash, nodeHash } from './merkle.js';

const USER = 1;
const ADDRESS = 2;
const EMPTY = zeros(32);
const BITS = 128;

export const userLeaf = (user, hashes) => ({ kind: USER, content: concat(user, u32(hashes.length), ...hashes) });
export const addressLeaf = (hash, user) => ({ kind: ADDRESS, content: concat(hash, user) });
export const keyOf = (leaf) => leaf.content.slice(0, 16);
export const hashOf = (leaf) =>
  leafHash(concat(label(leaf.kind === USER ? 'NM1/userleaf' : 'NM1/addrleaf'), leaf.content));

const bit = (key, depth) => (key[depth >> 3] >> (7 - (depth & 7))) & 1;

// node(S, d)
export function node(leaves, depth = 0) {
  if (leaves.length === 0) return EMPTY;
  if (leaves.length === 1) return hashOf(leaves[0]);
  const side = (s) => leaves.filter((leaf) => bit(keyOf(leaf), depth) === s);
  return nodeHash(node(side(0), depth + 1), node(side(1), depth + 1));
}

// {siblings, deepest first; end: the leaf that stands there, or null}
export function pathTo(leaves, key) {
  const siblings = [];
  let rest = leaves;
  for (let depth = 0; rest.length > 1; ++depth) {
    const same = (leaf) => bit(keyOf(leaf), depth) === bit(key, depth);
    siblings.unshift(node(rest.filter((leaf) => !same(leaf)), depth + 1));
    rest = rest.filter(same);
  }
  return { siblings, end: rest[0] ?? null };
}

export const encodePath = (path) => concat(u8(path.siblings.length), ...path.siblings);
export const encodeAbsence = (path) =>
  concat(encodePath(path), u8(path.end?.kind ?? 0), path.end?.content ?? zeros(0));

function readSiblings(r) {
  const n = r.u8();
  if (n > BITS) refuse('a path longer than 128');
  return Array.from({ length: n }, () => r.take(32));
}

export function parsePath(bytes) {
  const r = new Reader(bytes);
  const siblings = readSiblings(r);
  r.done();
  return { siblings, end: null };
}

function readLeaf(kind, content) {
  const r = new Reader(content);
  if (kind === ADDRESS) {
    r.take(48);
  } else {
    r.take(16);
    const n = r.u32();
    if (n < 1 || n > 128) refuse('1 to 128 records');
    r.take(32 * n);
  }
  r.done();
  return { kind, content };
}

export const encodeLeaf = (leaf) => concat(u8(leaf.kind), leaf.content);

// From a row of leaves: its kind, and as much as that kind has.
export function takeLeaf(r) {
  const kind = r.oneOf(USER, ADDRESS);
  if (kind === ADDRESS) return { kind, content: r.take(48) };
  const user = r.take(16);
  const n = r.u32();
  if (n < 1 || n > 128) refuse('1 to 128 records');
  return { kind, content: concat(user, u32(n), r.take(32 * n)) };
}

export function parseAbsence(bytes) {
  const r = new Reader(bytes);
  const siblings = readSiblings(r);
  const kind = r.oneOf(0, USER, ADDRESS);
  if (kind === 0) {
    r.done();
    return { siblings, end: null };
  }
  return { siblings, end: readLeaf(kind, r.take(r.left)) };
}

function fold(key, start, siblings) {
  let hash = start;
  siblings.forEach((sibling, i) => {
    const depth = siblings.length - 1 - i;
    hash = bit(key, depth) === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  });
  return hash;
}

export const isPresent = (leaf, path, root) => equal(fold(keyOf(leaf), hashOf(leaf), path.siblings), root);

export function isAbsent(key, path, root) {
  if (path.end === null) return equal(fold(key, EMPTY, path.siblings), root);
  const other = keyOf(path.end);
  if (equal(other, key)) return false;
  for (let depth = 0; depth < path.siblings.length; ++depth)
    if (bit(other, depth) !== bit(key, depth)) return false;
  return equal(fold(key, hashOf(path.end), path.siblings), root);
}
