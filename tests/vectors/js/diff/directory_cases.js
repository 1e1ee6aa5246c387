// Logs, the map, heads: the same roots and proofs, and the same judgement of right and wrong ones.
import { concat, hex, unhex, u8, zeros } from '../nm1/bytes.js';
import { advance, directoryHead, oldHead } from '../nm1/directory.js';
import { encodeAbsence, encodePath, hashOf, isAbsent, isPresent, keyOf, node, parseAbsence, parsePath, pathTo } from '../nm1/map.js';
import { consistency, consistent, includes, inclusion, nodeHash, root } from '../nm1/merkle.js';
import { sign, signingPublic } from '../nm1/primitives.js';
import { agree, orNull, sameBytes, sameValue } from './agree.js';

const hexes = (list) => list.map(hex);

// a proof with something wrong in it, or as it is
function bent(random, proof) {
  if (proof.length === 0) return random.pick([proof, [random.bytes(32)]]);
  const i = random.below(proof.length);
  return random.pick([proof, proof.slice(1), proof.slice(0, -1), [...proof, random.bytes(32)],
    proof.map((hash, j) => (i === j ? random.flipped(hash) : hash)), random.shuffled(proof)]);
}

export async function log({ random, peer }) {
  const leaves = Array.from({ length: random.pick([1, 2, 3, 7, 8, 9, random.between(1, 70)]) }, () => random.bytes(32));
  const size = random.between(1, leaves.length);
  const older = random.between(0, size);
  const some = leaves.slice(0, size);
  const theirs = await peer.ask('log', { leaves: hexes(leaves), size, older });
  const ours = { root: root(some), older_root: root(leaves.slice(0, older)), consistency: consistency(older, some) };
  sameBytes(ours.root, theirs.root, 'the root');
  sameBytes(ours.older_root, theirs.older_root, 'the older root');
  sameValue(hexes(ours.consistency), theirs.consistency, 'the proof of consistency');
  const path = older < size ? inclusion(older, some) : [];
  sameValue(hexes(path), theirs.inclusion ?? [], 'the path of inclusion');

  const right = { leaf: leaves[older] ?? leaves[0], index: older, size, path, proof: ours.consistency, root: ours.root,
    older_root: ours.older_root };
  const wrong = { ...right, ...random.pick([{ path: bent(random, path), proof: bent(random, ours.consistency) },
    { leaf: random.bytes(32), older_root: random.bytes(32) }, { root: random.flipped(ours.root) },
    { index: random.between(0, size + 1) }, { size: random.between(1, size + 2) }]) };
  for (const given of [right, wrong]) {
    const judged = await peer.ask('log_verify', { leaf: hex(given.leaf), older: given.index, size: given.size,
      inclusion: hexes(given.path), consistency: hexes(given.proof), root: hex(given.root), older_root: hex(given.older_root) });
    sameValue(judged, { consistent: consistent(given.index, given.size, given.proof, given.older_root, given.root),
      includes: includes(given.leaf, given.index, given.size, given.path, given.root) }, 'the judgement of a proof');
    if (given === right) agree(judged.consistent && judged.includes === older < size, 'a right proof holds');
  }
}

// keys that part late, so that paths grow long
function randomLeaves(random, n) {
  const stem = random.bytes(16);
  const made = new Map();
  for (let i = 0; i < n; ++i) {
    const key = random.chance(1, 3) ? random.bytes(16) : concat(stem.slice(0, 12), random.bytes(4));
    if (random.chance(1, 6)) key.set(stem.slice(0, 15));
    const kind = random.between(1, 2);
    const rest = kind === 2 ? random.bytes(32) : concat(zeros(3), u8(1), random.bytes(32));
    made.set(hex(key), { kind, content: concat(key, rest) });
  }
  return [...made.values()];
}

export async function map({ random, peer }) {
  const all = randomLeaves(random, random.pick([0, 1, 2, 3, 20, 60]));
  const erased = all.filter(() => random.chance(1, 4));
  const leaves = all.filter((leaf) => !erased.includes(leaf));
  const mapRoot = node(leaves);
  const asked = [...random.shuffled(all).slice(0, 4).map(keyOf), random.bytes(16)];
  if (all.length > 0) asked.push(random.flipped(keyOf(random.pick(all)), 8));
  const theirs = await peer.ask('map', { leaves: all.map(({ kind, content }) => ({ kind, content: hex(content) })),
    erase: hexes(erased.map(keyOf)), keys: hexes(asked) });
  sameBytes(mapRoot, theirs.root, 'the root of the map');
  sameValue(leaves.length, theirs.size, 'its size');
  for (const [i, key] of asked.entries()) {
    const path = pathTo(leaves, key);
    const present = path.end !== null && hex(keyOf(path.end)) === hex(key);
    sameBytes(present ? encodePath(path) : encodeAbsence(path), theirs.paths[i], 'a path');
    await judge(peer, random, { key, path: unhex(theirs.paths[i]), leaf: present ? path.end : null, root: mapRoot });
  }
}

async function judge(peer, random, { key, path, leaf, root: mapRoot }) {
  for (const [bytes, expected] of [[path, true], [random.flipped(path), false], [path.slice(0, -1), false],
    [concat(path, zeros(1)), false], [random.flipped(path, 0, 1), null]]) {
    const form = orNull(() => (leaf ? parsePath(bytes) : parseAbsence(bytes)));
    const ours = form !== null && (leaf ? isPresent(leaf, form, mapRoot) : isAbsent(key, form, mapRoot));
    const theirs = leaf
      ? await peer.ask('map_presence', { leaf: { kind: leaf.kind, content: hex(leaf.content) }, path: hex(bytes), root: hex(mapRoot) })
      : await peer.ask('map_absence', { key: hex(key), path: hex(bytes), root: hex(mapRoot) });
    sameValue(ours, theirs.holds ?? false, 'the judgement of a path');
    if (expected !== null) sameValue(ours, expected, 'a path as made holds, a changed one does not');
  }
}

// A directory that lies: another key's leaf stands where the asked key's path leads, and the root is of that very map.
export async function misplaced({ random, peer }) {
  const key = random.bytes(16);
  const away = random.below(12);
  const other = key.slice();
  other[away >> 3] ^= 0x80 >> (away & 7); // parts from the key at this depth
  const same = random.chance(1, 4); // or parts below the path, as it must
  const length = same ? random.between(0, away) : random.between(away + 1, 20);
  const leaf = { kind: 2, content: concat(other, random.bytes(32)) };
  const siblings = Array.from({ length }, () => random.bytes(32));
  const fold = siblings.reduce((hash, sibling, i) => {
    const depth = length - 1 - i;
    return (key[depth >> 3] >> (7 - (depth & 7))) & 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }, hashOf(leaf));
  const path = encodeAbsence({ siblings, end: leaf });
  const theirs = await peer.ask('map_absence', { key: hex(key), path: hex(path), root: hex(fold) });
  sameValue(isAbsent(key, parseAbsence(path), fold), theirs.holds, 'a leaf out of its place');
  sameValue(theirs.holds, same, 'absence is proven by a leaf in its place alone');
}

// a log of heads, each over those before it
function history(random, n, seed, org) {
  const [heads, log_] = [[], []];
  let ts = 1780000000000n;
  for (let i = 0; i < n; ++i) {
    ts += BigInt(random.below(3) * 1000);
    const body = { revision: BigInt(i + 1), ts, leaves: random.u64(), mapRoot: random.bytes(32), logRoot: root(log_) };
    const head = { ...body, signature: sign(seed, 'NM1/dirhead', org, directoryHead.body(body)) };
    heads.push(head);
    log_.push(directoryHead.hash(head));
  }
  return { heads, log: log_ };
}

const NAMES = { ERR_SIGNATURE_INVALID: 'signature', ERR_PROOF_INVALID: 'refused', ERR_DIRECTORY_FORK: 'fork' };
const named = (answer) => (answer.refused ? NAMES[answer.refused] ?? answer.refused : '');

export async function heads({ random, peer }) {
  const [seed, org] = [random.bytes(32), random.bytes(16)];
  const key = signingPublic(seed);
  const { heads: list, log: leaves } = history(random, random.between(2, 12), seed, org);
  const i = random.below(list.length);
  const j = random.between(i, list.length - 1);
  const [a, b] = [list[i], list[j]];
  const again = (head, change) => {
    const body = { ...head, ...change };
    return { ...body, signature: sign(seed, 'NM1/dirhead', org, directoryHead.body(body)) };
  };
  const proof = { consistency: consistency(i, leaves.slice(0, j)), inclusion: i < j ? inclusion(i, leaves.slice(0, j)) : [] };
  const now = b.ts;
  const tries = [{ a, b, proof, now }, { a, b, proof, now: b.ts - 600000n }, { a, b, proof, now: b.ts - 600001n },
    { a: b, b: a, proof, now }, { a, b: { ...b, signature: random.flipped(b.signature) }, proof, now },
    { a, b: again(b, { mapRoot: random.bytes(32) }), proof, now }, { a, b: again(b, { logRoot: random.bytes(32) }), proof, now },
    { a: again(a, { ts: b.ts + 1n }), b, proof, now }, { a: again(a, { mapRoot: random.bytes(32) }), b, proof, now },
    { a, b, proof: { ...proof, consistency: bent(random, proof.consistency) }, now },
    { a, b, proof: { ...proof, inclusion: bent(random, proof.inclusion) }, now }];
  for (const t of [tries[0], random.pick(tries), random.pick(tries)]) {
    const common = { key: hex(key), org: hex(org) };
    const ours = advance(t.a, t.b, t.proof, key, org, t.now);
    const theirs = await peer.ask('head_advance', { held: hex(directoryHead.encode(t.a)), newer: hex(directoryHead.encode(t.b)),
      consistency: hexes(t.proof.consistency), inclusion: hexes(t.proof.inclusion), now: t.now, ...common });
    sameValue(ours, named(theirs), 'from one head to the next');
    if (t === tries[0]) agree(ours === '', 'the next head is taken');
    const old = await peer.ask('head_old', { old: hex(directoryHead.encode(t.b)), held: hex(directoryHead.encode(t.a)),
      inclusion: hexes(t.proof.inclusion), ...common });
    sameValue(oldHead(t.b, t.a, t.proof.inclusion, key, org), named(old), 'a head under an older one');
    const under = await peer.ask('head_old', { old: hex(directoryHead.encode(t.a)), held: hex(directoryHead.encode(t.b)),
      inclusion: hexes(t.proof.inclusion), ...common });
    sameValue(oldHead(t.a, t.b, t.proof.inclusion, key, org), named(under), 'an old head');
  }
  const made = await peer.ask('head_sign', { seed: hex(seed), org: hex(org), bytes: hex(directoryHead.encode({ ...b, signature: zeros(64) })) });
  sameBytes(directoryHead.encode(b), made.bytes, 'a signed head');
  sameBytes(directoryHead.hash(b), made.hash, 'dir_head32');
}
