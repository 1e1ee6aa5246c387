// The golden files of schemas/vectors, read by the second implementation.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { FORMS } from './forms.js';
import { Malformed, compare, equal, hex, unhex, utf8 } from './nm1/bytes.js';
import { ReceivingChain, nextKeys } from './nm1/chain.js';
import { HISTORY_OFFER, KEY_REQUEST, historyCode, historyCodeText, historyOffer, keyRequest, sealedControl } from './nm1/control.js';
import { appoint, apply, convEvent, create, rosterRoot } from './nm1/conversation.js';
import { addressHash, audience, deviceCert, deviceRevoke, token } from './nm1/device.js';
import { advance, directoryHead, oldHead } from './nm1/directory.js';
import { activeDevices, addressIsIn, entryIsIn, parseEntry } from './nm1/entry.js';
import { chainBody, grantHeader, grantSignedBy, openGrant, sealShared } from './nm1/grant.js';
import { deviceId, keyActor, keyId, orgId, pairId, pairState } from './nm1/identifiers.js';
import { encodeDump, parseDump } from './nm1/dump.js';
import { encodeAbsence, encodePath, isAbsent, node, parseAbsence, parsePath, pathTo } from './nm1/map.js';
import { openBlob, sealBlob } from './nm1/media.js';
import { consistency, inclusion, root } from './nm1/merkle.js';
import { content, messageDigest, openMessage, padContent, padme, sealMessage } from './nm1/message.js';
import { boxSeal, sealPublic, sha256, sign, signingPublic } from './nm1/primitives.js';
import { sealKey } from './nm1/seal_key.js';
import { safetyNumber } from './nm1/trust.js';
import { wipeOrder, wipeReceipt } from './nm1/wipe.js';

const folder = new URL('../../../schemas/vectors/', import.meta.url);
const golden = (name) => JSON.parse(readFileSync(new URL(name, folder)));
const seed = (byte) => new Uint8Array(32).fill(byte);
const same = (a, b) => assert.ok(equal(a, b), 'bytes differ');

const identity = golden('identity.json');
const directory = golden('directory.json');
const conversation = golden('conversation.json');
const user = unhex(identity.user);
const keys = { org: orgId(identity.organisation), ea: signingPublic(seed(identity.seeds.ea)),
  directory: signingPublic(seed(identity.seeds.directory)),
  administrators: [signingPublic(seed(identity.seeds.administrator))] };
const [a, b] = [seed(identity.seeds.a), seed(identity.seeds.b)];
const now = BigInt(identity.now);

test('safety numbers, whoever asks', () => {
  for (const { people, number } of golden('trust.json').numbers) {
    const read = people.map((p) => ({ user: unhex(p.user), keys: p.keys.map(unhex) }));
    assert.equal(safetyNumber(read), number);
    assert.equal(safetyNumber(read.reverse()), number);
  }
});

test('a wipe order that is obeyed, forged ones, the receipt', () => {
  const { order, receipt, forged, ...own } = golden('wipe.json');
  const [owner, device, at] = [unhex(own.user), unhex(own.device), BigInt(own.now)];
  const read = wipeOrder.parse(unhex(order));
  same(wipeOrder.encode(read), unhex(order));
  assert.ok(wipeOrder.obeyed(read, owner, device, keys, at));
  assert.ok(!wipeOrder.obeyed(read, owner, unhex(identity.device_b), keys, at));
  assert.ok(!wipeOrder.obeyed(read, owner, device, keys, read.expires));
  for (const { why, order: text } of forged)
    assert.ok(!wipeOrder.obeyed(wipeOrder.parse(unhex(text)), owner, device, keys, at), why);
  const said = wipeReceipt.parse(unhex(receipt));
  same(wipeReceipt.encode(said), unhex(receipt));
  assert.ok(wipeReceipt.signedBy(said, signingPublic(a)) && !wipeReceipt.signedBy(said, signingPublic(b)));
});

test('ids, token, address', () => {
  same(keys.org, unhex(identity.org));
  same(deviceId(user, signingPublic(a)), unhex(identity.device_a));
  const t = token.parse(identity.token);
  assert.equal(token.text(t), identity.token);
  assert.ok(token.holds(t, signingPublic(a), audience(identity.token_audience), now, 120000n));
  assert.ok(!token.holds(t, signingPublic(b), audience(identity.token_audience), now, 120000n));
  same(addressHash(identity.address, unhex(identity.address_secret)),
    deviceCert.parse(unhex(identity.certs[0])).attestHash);
});

test('device records, their entry, a seal key', () => {
  for (const text of [...identity.certs, identity.approved_cert])
    same(deviceCert.encode(deviceCert.parse(unhex(text))), unhex(text));
  same(deviceRevoke.encode(deviceRevoke.parse(unhex(identity.revoke))), unhex(identity.revoke));
  const entry = parseEntry(user, [...identity.certs, identity.revoke].map(unhex), keys);
  assert.deepEqual(activeDevices(entry, now).map((d) => Buffer.from(d).toString('hex')), [identity.device_a]);
  const approved = deviceCert.parse(unhex(identity.approved_cert));
  assert.ok(deviceCert.approvedBy(approved, keys.org, keys.administrators[0]));
  same(sign(b, 'NM1/devcert-self', deviceCert.body(approved)), approved.selfSig);
  same(keyId(keys.ea), approved.eaKey);
  const key = sealKey.parse(unhex(identity.seal_key));
  same(sealKey.encode(key), unhex(identity.seal_key));
  assert.ok(sealKey.holds(key, signingPublic(a), now));
});

test('map and paths', () => {
  const leaves = directory.map.leaves.map(({ kind, content: text }) => ({ kind, content: unhex(text) }));
  const mapRoot = unhex(directory.map.root);
  same(node(leaves), mapRoot);
  same(encodePath(pathTo(leaves, user)), unhex(directory.map.path));
  for (const { key, proof } of directory.map.absent) {
    same(encodeAbsence(pathTo(leaves, unhex(key))), unhex(proof));
    assert.ok(isAbsent(unhex(key), parseAbsence(unhex(proof)), mapRoot));
    assert.ok(!isAbsent(user, parseAbsence(unhex(proof)), mapRoot));
  }
});

test('heads and their log, the entry under the newest', () => {
  const heads = directory.heads.map((text) => directoryHead.parse(unhex(text)));
  const log = heads.map((head) => directoryHead.hash(head));
  heads.forEach((head, i) => {
    same(directoryHead.encode(head), unhex(directory.heads[i]));
    assert.ok(directoryHead.signedBy(head, keys.directory, keys.org));
    same(head.logRoot, root(log.slice(0, i)));
    for (let j = 0; j < i; ++j) {
      const proof = { consistency: consistency(j, log.slice(0, i)), inclusion: inclusion(j, log.slice(0, i)) };
      assert.equal(advance(heads[j], head, proof, keys.directory, keys.org, now), '');
      assert.equal(oldHead(heads[j], head, proof.inclusion, keys.directory, keys.org), '');
    }
  });
  const entry = parseEntry(user, [...identity.certs, identity.revoke].map(unhex), keys);
  const head = heads.at(-1);
  assert.ok(entryIsIn(entry, parsePath(unhex(directory.map.path)), head));
  assert.ok(addressIsIn(entry, unhex(directory.map.attest_hash), parsePath(unhex(directory.map.address_path)), head));
});

test('a dump is the map of its head, and nothing else is', () => {
  const bytes = unhex(directory.dump);
  const { head, leaves } = parseDump(bytes);
  same(directoryHead.encode(head), unhex(directory.heads.at(-1)));
  same(encodeDump(head, leaves), bytes);
  for (const at of [0, 4, 7, 168, 200, bytes.length - 1]) {
    const bad = bytes.slice();
    bad[at] ^= 1;
    assert.throws(() => parseDump(bad));
  }
  assert.throws(() => parseDump(bytes.slice(0, -1)));
  assert.throws(() => parseDump(encodeDump(head, leaves.slice(1))));
});

test('appointments to a group whose administrator is gone', () => {
  const { create: first, org, administrators, state, roster, cases } = golden('appointment.json');
  const known = create(convEvent.parse(unhex(first)));
  const pinned = administrators.map(unhex).map((key) => ({ id: keyActor(key), key }));
  for (const { outcome, why, bytes, head_ts: headTs, entries } of cases) {
    if (outcome === 'malformed') {
      assert.throws(() => convEvent.parse(unhex(bytes)), Malformed, why);
      continue;
    }
    const event = convEvent.parse(unhex(bytes));
    same(convEvent.encode(event), unhex(bytes));
    const devicesOf = (who) => entries.find((e) => e.user === hex(who))?.devices
      .map((d) => ({ notBefore: BigInt(d.not_before), revoked: d.revoked === null ? null : BigInt(d.revoked) })) ?? null;
    const facts = { org: unhex(org), administrators: pinned, headTs: BigInt(headTs), devicesOf };
    const judged = appoint(known, event, facts);
    assert.equal(judged.outcome, outcome, why);
    if (outcome !== 'applied') continue;
    same(judged.next.state, unhex(state));
    assert.deepEqual(judged.next.roster.map((m) => ({ user: hex(m.user), role: m.role })), roster);
  }
});

test("a group's creation, a pair", () => {
  const bytes = unhex(conversation.event.bytes);
  const event = convEvent.parse(bytes);
  same(convEvent.encode(event), bytes);
  same(convEvent.groupId(event), unhex(conversation.event.conversation));
  assert.ok(convEvent.signedBy(event, signingPublic(a)));
  const state = create(event);
  same(state.state, unhex(conversation.event.state));
  same(rosterRoot(state.roster), unhex(conversation.event.roster_root));
  assert.equal(apply(state, event), null);
  const [one, other] = conversation.pair.users.map(unhex).sort(compare);
  same(pairId(other, one), unhex(conversation.pair.conversation));
  same(pairState(other, one), unhex(conversation.pair.state));
});

test('a grant: the same bytes, and it opens', () => {
  const v = conversation.grant;
  const body = chainBody.parse(unhex(v.body));
  same(chainBody.encode(body), unhex(v.body));
  const { bound, sealed } = sealShared(body, a, unhex(v.dk));
  same(bound, unhex(v.header).slice(0, 84));
  same(sealed, unhex(v.ciphertext));
  assert.equal(grantHeader.parse(unhex(v.header)).wraps, 1);
  const secret = seed(0x51);
  const box = boxSeal(Buffer.concat([utf8('NMw1'), unhex(v.dk)]), sealPublic(secret), seed(0x52));
  const wire = new Uint8Array(Buffer.concat([unhex(v.header), sealed, unhex('0000000100000007'), box]));
  const opened = openGrant(wire, (id) => (id === 7 ? secret : null));
  same(opened.bytes, unhex(v.body));
  assert.ok(grantSignedBy(opened, signingPublic(a)));
  assert.ok(!grantSignedBy(opened, signingPublic(b)));
});

test('three messages of a chain: the same bytes, and they open in any order', () => {
  const body = chainBody.parse(unhex(conversation.grant.body));
  const header = grantHeader.parse(unhex(conversation.grant.header));
  const from = { ...body, chain: header.chain, seed: seed(13) };
  let at = { chainKey: body.chainKey, index: 0 };
  for (const m of conversation.messages) {
    const keysOf = nextKeys(unhex(m.ck));
    same(keysOf.mk, unhex(m.mk));
    same(keysOf.commitment, unhex(m.kc));
    at = sealMessage(from, at, unhex(m.content), unhex(m.wire).slice(24, 32));
    same(at.wire, unhex(m.wire));
  }
  let chain = ReceivingChain.ofGrant({ header, body });
  for (const m of [...conversation.messages].reverse()) {
    const opened = openMessage(chain, unhex(m.wire));
    same(content.encode(opened.content), unhex(m.content));
    chain = opened.chain;
    assert.equal(openMessage(chain, unhex(m.wire)), null, 'an index opens once');
  }
  same(content.parse(unhex(conversation.messages[1].content)).prevOwn,
    messageDigest(unhex(conversation.messages[0].wire)).slice(0, 16));
});

test('padding, and a blob of three chunks', () => {
  for (const [n, padded] of conversation.padding) assert.equal(padContent(n), padded);
  for (const [n, padded] of conversation.padme) assert.equal(padme(n), BigInt(padded));
  const v = conversation.blob;
  const key = unhex(v.key);
  const plain = new Uint8Array(v.plain_length).map((_, i) => (i * 7) % 251);
  const made = sealBlob({ blob: unhex(v.blob), conversation: unhex(conversation.event.conversation) }, key, plain);
  assert.equal(made.shape.padded, BigInt(v.padded));
  assert.deepEqual(made.chunks.map((c) => Buffer.from(sha256(c)).toString('hex')), v.chunk_sha256);
  same(made.digest, unhex(v.digest));
  same(openBlob(made.shape, key, plain.length, made.digest, made.sealed), plain);
  assert.equal(openBlob(made.shape, key, plain.length, made.digest, made.sealed.slice(0, -1)), null);
});

test('control records: the same bytes, also of the boxes', () => {
  const v = golden('control.json');
  const [secret, ephemeral] = [unhex(v.receiver_secret), unhex(v.ephemeral_secret)];
  same(sealPublic(secret), unhex(v.receiver_key));
  for (const [type, sealed, record] of [[KEY_REQUEST, v.sealed_request, v.chain_request],
    [HISTORY_OFFER, v.sealed_offer, v.history_offer]]) {
    const control = sealedControl.parse(unhex(sealed.wire));
    assert.equal(control.type, type);
    same(sealedControl.open(control, secret), unhex(record));
    same(sealedControl.seal(type, control.receiver, control.keyId, sealPublic(secret), unhex(record), ephemeral), unhex(sealed.wire));
  }
  for (const text of [v.chain_request, v.messages_request]) {
    const request = keyRequest.parse(unhex(text));
    assert.ok(keyRequest.signedBy(request, signingPublic(a)));
    same(sign(a, 'NM1/keyreq', keyRequest.body(request)), request.signature);
  }
  const offer = historyOffer.parse(unhex(v.history_offer));
  assert.ok(historyOffer.signedBy(offer, signingPublic(a)));
  const code = historyCode(offer.oldDevice, offer.newDevice, offer.newCert);
  same(code, unhex(v.history_code));
  assert.equal(historyCodeText(code), v.history_text);
});

test('contents of every kind', () => {
  for (const row of golden('content.json').bodies) {
    const parsed = content.parse(unhex(row.content));
    assert.equal(parsed.kind, row.kind);
    same(parsed.body, unhex(row.body));
    same(content.encode(parsed), unhex(row.content));
  }
});

test('good records are taken as they are, each with one fault is refused', () => {
  const v = golden('forms.json');
  assert.deepEqual(v.good.map((row) => row.form).sort(), Object.keys(FORMS).sort());
  for (const { form, bytes } of v.good) same(FORMS[form](unhex(bytes)), unhex(bytes));
  for (const { form, why, bytes } of v.refused)
    assert.throws(() => FORMS[form](unhex(bytes)), Malformed, `${form}: ${why}`);
});
