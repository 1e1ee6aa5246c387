// The golden files of what must be refused, of a group's whole life, of the container's keys and of batches, read by the
// second implementation.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Malformed, concat, equal, hex, unhex } from './nm1/bytes.js';
import { parseDown, parseUp } from './nm1/batch.js';
import { ReceivingChain } from './nm1/chain.js';
import { blind, commitment, doorKey, openRecord, openSlot, rootKey, slotKey, stretch, wrappingKey } from './nm1/container.js';
import { CREATE, apply, convEvent, create, forkHash, mend } from './nm1/conversation.js';
import { deviceCert } from './nm1/device.js';
import { advance, directoryHead } from './nm1/directory.js';
import { parseEntry } from './nm1/entry.js';
import { chainBody, grantHeader, openGrant } from './nm1/grant.js';
import { judgeGrant } from './nm1/judge.js';
import { isAbsent, isPresent, parseAbsence, parsePath } from './nm1/map.js';
import { openBlob, sealBlob } from './nm1/media.js';
import { openMessage } from './nm1/message.js';

const folder = new URL('../../../schemas/vectors/', import.meta.url);
const golden = (name) => JSON.parse(readFileSync(new URL(name, folder)));
const failures = golden('failures.json');
const same = (a, b) => assert.ok(equal(a, b), 'bytes differ');

// null where the form alone is refused
function formed(make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

test('grants that do not open, each by its rule', () => {
  for (const { want, why, keys, wire } of failures.grants) {
    const opened = openGrant(unhex(wire), (id) => (id === keys[0].id ? unhex(keys[0].secret) : undefined));
    assert.equal(opened.rule ?? 'opened', want, why);
  }
});

test('grants that are judged, each by one fact', () => {
  for (const { want, why, header, body, signature, now, facts: f } of failures.judgements) {
    const grant = { header: grantHeader.parse(unhex(header)), body: chainBody.parse(unhex(body)), bytes: unhex(body),
      bound: unhex(header).slice(0, 84), signature: unhex(signature) };
    const roster = (list) => list.map((m) => ({ user: unhex(m.user), role: m.role }));
    const facts = { ownUser: unhex(f.own_user), retention: BigInt(f.retention), entryKnown: f.entry_known,
      sender: f.sender && deviceCert.parse(unhex(f.sender)), revoke: f.revoke && { ...f.revoke, effective: BigInt(f.revoke.effective) },
      stateAtEpoch: f.state_at_epoch && unhex(f.state_at_epoch), rosterAtEpoch: roster(f.roster_at_epoch),
      rosterNow: roster(f.roster_now), closed: f.closed, head: f.head, headTs: BigInt(f.head_ts), highest: f.highest, held: null };
    assert.equal(judgeGrant(grant, facts, BigInt(now)), want, why);
  }
});

test('messages that are refused, and those that use up their index', () => {
  for (const { want, why, grant_header: header, grant_body: body, wires } of failures.messages) {
    let chain = ReceivingChain.ofGrant({ header: grantHeader.parse(unhex(header)), body: chainBody.parse(unhex(body)) });
    const came = wires.map((wire) => {
      const opened = openMessage(chain, unhex(wire));
      if (opened === null) return 'refused';
      chain = opened.chain;
      return opened.content === null ? 'unreadable' : 'opened';
    });
    assert.deepEqual(came, want, why);
  }
});

test('entries, each with one thing wrong', () => {
  for (const { want, why, user, records, keys } of failures.entries) {
    const under = { org: unhex(keys.org), ea: unhex(keys.ea), directory: unhex(keys.directory),
      administrators: keys.administrators.map(unhex) };
    const entry = formed(() => parseEntry(unhex(user), records.map(unhex), under));
    assert.equal(entry === null ? 'refused' : 'taken', want, why);
  }
});

test('heads that do not follow', () => {
  for (const { want, why, held, newer, consistency, inclusion, key, org, now } of failures.heads) {
    const proof = { consistency: consistency.map(unhex), inclusion: inclusion.map(unhex) };
    const [a, b] = [held, newer].map((head) => directoryHead.parse(unhex(head)));
    const verdict = advance(a, b, proof, unhex(key), unhex(org), BigInt(now));
    assert.equal({ '': 'taken', fork: 'fork' }[verdict] ?? 'refused', want, why);
  }
});

test('proofs of presence and absence that do not hold', () => {
  for (const { want, why, op, leaf, key, path, root } of failures.maps) {
    const holds = op === 'map_presence'
      ? isPresent({ kind: leaf.kind, content: unhex(leaf.content) }, parsePath(unhex(path)), unhex(root))
      : formed(() => isAbsent(unhex(key), parseAbsence(unhex(path)), unhex(root))) ?? false;
    assert.equal(holds, want, why);
  }
});

test('a medium that was changed on its way', () => {
  const { event, blob: v } = golden('conversation.json');
  const plain = new Uint8Array(v.plain_length).map((_, i) => (i * 7) % 251);
  const [key, conversation] = [unhex(v.key), unhex(event.conversation)];
  const made = sealBlob({ blob: unhex(v.blob), conversation }, key, plain);
  const flip = (bytes, at) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
  const [one, two, ...rest] = made.chunks;
  for (const row of failures.media) {
    const [shape, sealed, k, digest] = { nothing: () => [made.shape, made.sealed, key, made.digest],
      flip: () => [made.shape, flip(made.sealed, (row.at + made.sealed.length) % made.sealed.length), key, made.digest],
      swap: () => [made.shape, concat(two, one, ...rest), key, made.digest],
      cut: () => [made.shape, concat(one, two), key, made.digest],
      conversation: () => [{ ...made.shape, conversation: flip(conversation, 0) }, made.sealed, key, made.digest],
      name: () => [{ ...made.shape, blob: flip(made.shape.blob, 0) }, made.sealed, key, made.digest],
      key: () => [made.shape, made.sealed, flip(key, 0), made.digest],
      digest: () => [made.shape, made.sealed, key, flip(made.digest, 0)] }[row.do]();
    assert.equal(openBlob(shape, k, v.plain_length, digest, sealed) === null ? 'refused' : 'opened', row.want, row.why);
  }
});

test("a group's whole life, and a fork that is mended", () => {
  const { makers, line, fork } = golden('events.json');
  const take = (known, { event: text, by, state, roster }) => {
    const event = convEvent.parse(unhex(text));
    same(convEvent.encode(event), unhex(text));
    assert.ok(convEvent.signedBy(event, unhex(by)));
    assert.ok(makers.some((m) => m.key === by && m.user === hex(event.actorUser)));
    const next = event.kind === CREATE ? create(event) : Array.isArray(known) ? mend(...known, event) : apply(known, event);
    same(next.state, unhex(state));
    assert.deepEqual(next.roster.map((m) => ({ user: hex(m.user), role: m.role })), roster);
    return next;
  };
  const end = line.reduce(take, null);
  assert.ok(end.closed);
  const before = fork.before.reduce(take, null);
  const [one, other] = [take(before, fork.one), take(before, fork.other)];
  same(forkHash(other, one), unhex(fork.hash));
  assert.equal(take([one, other], fork.mend).epoch, 3n);
});

test("the container's keys, slots, rows and blinded columns", () => {
  const v = golden('container.json');
  const { passphrase, salt, operations, memory_bytes: memory } = v.stretch;
  same(stretch(new TextEncoder().encode(passphrase), unhex(salt), operations, memory), unhex(v.stretch.stretched));
  const [stretched, half, share] = [v.stretched, v.half, v.share].map(unhex);
  same(doorKey(stretched, half), unhex(v.door));
  same(rootKey(stretched, half, new Uint8Array(32)), unhex(v.root_without_share));
  const root = rootKey(stretched, half, share);
  same(root, unhex(v.root));
  same(commitment(root), unhex(v.commitment));
  same(slotKey(root), unhex(v.slot_key));
  same(openSlot(slotKey(root), v.slot, unhex(v.slot_sealed)), unhex(v.s));
  assert.equal(openSlot(slotKey(root), v.slot + 1, unhex(v.slot_sealed)), null);
  same(wrappingKey(unhex(v.s)), unhex(v.wrapping));
  same(openRecord(unhex(v.record_key), v, unhex(v.record)), unhex(v.plain));
  for (const moved of [{ table: v.table + 1 }, { row: v.row + 1 }, { version: v.version + 1 }])
    assert.equal(openRecord(unhex(v.record_key), { ...v, ...moved }, unhex(v.record)), null);
  same(blind(unhex(v.index_key), v.table, v.column, unhex(v.value)), unhex(v.blind));
});

test('batches of packets', () => {
  const v = golden('batches.json');
  const packets = (list) => list.map((p) => ({ device: hex(p.device), bytes: hex(p.bytes) }));
  const up = parseUp(unhex(v.up));
  assert.deepEqual([up.number, up.dropped, up.waiting].map(Number), [v.number, v.dropped, v.waiting]);
  assert.deepEqual(packets(up.packets), v.packets);
  const down = parseDown(unhex(v.down));
  assert.deepEqual([down.done.map(Number), packets(down.packets)], [v.done, v.packets]);
  for (const bytes of [unhex(v.up), unhex(v.down)]) {
    assert.throws(() => (bytes[2] === 0x75 ? parseUp : parseDown)(bytes.slice(0, -1)), Malformed);
    for (const at of [0, 4, 5]) assert.throws(() => (bytes[2] === 0x75 ? parseUp : parseDown)(bytes.map((b, i) => (i === at ? b ^ 1 : b))), Malformed);
  }
});
