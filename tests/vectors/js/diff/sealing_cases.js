// Grants, messages and chains: each side seals, the other opens; what one bit changed, both refuse.
import { concat, hex, u32, u8, unhex, zeros } from '../nm1/bytes.js';
import { ReceivingChain, nextKeys } from '../nm1/chain.js';
import { chainBody, delivered, grantHeader, grantSignedBy, openGrant, sealGrant } from '../nm1/grant.js';
import { chainId } from '../nm1/identifiers.js';
import { MAX_CONTENT, content, openMessage, sealMessage } from '../nm1/message.js';
import { sealPublic, signingPublic } from '../nm1/primitives.js';
import { agree, orNull, sameBytes, sameValue } from './agree.js';

// contents of 128, 256, 512, 1,024, and what lies beside them; the longest, and one more
const BODIES = [0, 1, 71, 72, 73, 199, 200, 201, 455, 456, 457, 967, 968, 969, 970];
const LONG_BODIES = [4000, 20000, 61384, 61385, 63432]; // every tenth, for they take their time
const REFUSED_BODIES = [63433, 63489, 70000];
const WRAPS = [1, 2, 1, 3];

export function randomBody(random) {
  const chainSeed = random.bytes(32);
  const maxIndex = random.pick([0, 5, 127, 511, 1023]);
  return { chainSeed, body: { flags: random.below(2), conversation: random.bytes(16), epoch: random.u64(),
    state: random.bytes(32), user: random.bytes(16), device: random.bytes(16), chainNo: random.word(),
    firstIndex: random.below(Math.min(maxIndex, 8) + 1), created: random.u64(), expires: random.u64(), maxIndex,
    dirRevision: random.u64(), dirHead: random.bytes(32), chainKey: random.bytes(32),
    chainPublic: signingPublic(chainSeed), prevDigest: random.bytes(32), prevCount: random.word() } };
}

function randomContent(random, length, resent) {
  return { kind: random.below(256), resent, sent: random.u64(), epoch: random.u64(), id: random.bytes(16),
    prevOwn: random.bytes(16), body: random.bytes(length) };
}

const headerOf = (body) => ({ flags: body.flags, conversation: body.conversation, device: body.device, wraps: 1,
  chain: chainId(body.device, body.conversation, body.chainNo, body.chainPublic), dkCommit: zeros(32) });

function asked(c) {
  return { kind: c.kind, resent: c.resent, sent: c.sent, epoch: c.epoch, id: hex(c.id), prev_own: hex(c.prevOwn),
    body: hex(c.body) };
}

function startOf(body, index) {
  let chainKey = body.chainKey;
  for (let i = body.firstIndex; i < index; ++i) chainKey = nextKeys(chainKey).next;
  return { chainKey, index };
}

async function theirsOpen(peer, body, wires) {
  return peer.ask('messages_open', { grant_header: hex(grantHeader.encode(headerOf(body))),
    grant_body: hex(chainBody.encode(body)), wires: wires.map(hex) });
}

function oursOpen(body, wires) {
  let chain = ReceivingChain.ofGrant({ header: headerOf(body), body });
  const messages = wires.map((wire) => {
    const opened = openMessage(chain, wire);
    if (opened === null) return 'refused';
    chain = opened.chain;
    return { content: opened.content && hex(content.encode(opened.content)), digest: hex(opened.digest) };
  });
  return { messages, index: chain.index, skipped: chain.skipped.size };
}

async function bothOpen(peer, body, wires, what) {
  const ours = oursOpen(body, wires);
  const { messages, index, skipped } = await theirsOpen(peer, body, wires);
  const theirs = messages.map((m) => (m.refused ? 'refused' : { content: m.content, digest: m.digest }));
  sameValue(ours, { messages: theirs, index, skipped }, what);
  return ours.messages;
}

const fromOf = (body, chainSeed) => ({ ...body, chain: headerOf(body).chain, seed: chainSeed });

// One message of each boundary size: the same wire from both, opened by both, and not with a bit changed.
export async function message({ random, peer, nth }) {
  const { chainSeed, body } = randomBody(random);
  const index = random.between(body.firstIndex, Math.min(body.maxIndex, 40));
  const length = nth % 10 === 9 ? LONG_BODIES[((nth - 9) / 10) % LONG_BODIES.length] : BODIES[nth % BODIES.length];
  const c = randomContent(random, length, body.flags === 1);
  const guard = random.bytes(8);
  const theirs = await peer.ask('message_seal', { grant_body: hex(chainBody.encode(body)), chain_seed: hex(chainSeed),
    content: asked(c), index, random: hex(guard) });
  const padded = content.encode(c);
  const ours = sealMessage(fromOf(body, chainSeed), startOf(body, index), padded, guard);
  sameBytes(ours.wire, theirs.wire, 'the wire message');
  sameBytes(ours.chainKey, theirs.chain_key, 'the chain after it');
  const wires = [random.flipped(ours.wire), random.flipped(ours.wire, 0, 32), ours.wire, ours.wire];
  const opened = await bothOpen(peer, body, wires, 'opening a message');
  sameValue(opened.map((m) => m !== 'refused'), [false, false, true, false], 'flipped, flipped, as sent, again');
  agree(opened[2].content === hex(padded), 'the content comes back');
}

export async function messageTooLong({ random, peer, nth }) {
  const { chainSeed, body } = randomBody(random);
  const c = randomContent(random, REFUSED_BODIES[nth % REFUSED_BODIES.length], false);
  const theirs = await peer.ask('message_seal', { grant_body: hex(chainBody.encode(body)), chain_seed: hex(chainSeed),
    content: asked(c), index: body.firstIndex, random: hex(random.bytes(8)) });
  sameValue(orNull(() => content.encode(c)) === null, theirs.refused !== undefined, 'a content too long');
  agree(theirs.refused === 'ERR_TOO_LARGE', 'it is refused');
}

// Several indexes of one chain: out of order, repeated, lost, changed, beyond the end.
export async function chainOrder({ random, peer }) {
  const { chainSeed, body } = randomBody(random);
  const from = fromOf(body, chainSeed);
  const last = Math.min(body.maxIndex + 2, body.firstIndex + random.between(2, 12));
  let at = startOf(body, body.firstIndex);
  const wires = [];
  while (at.index <= last) {
    const padded = content.encode(randomContent(random, random.below(90), random.chance(1, 8) !== (body.flags === 1)));
    at = sealMessage(from, at, padded, random.bytes(8));
    if (!random.chance(1, 5)) wires.push(at.wire);
    if (random.chance(1, 5)) wires.push(at.wire);
    if (random.chance(1, 5)) wires.push(random.flipped(at.wire));
  }
  await bothOpen(peer, body, random.shuffled(wires), 'a chain out of order');
}

// a plaintext that no sealer of ours makes
function malformedContent(random) {
  const good = content.encode(randomContent(random, random.below(120), false));
  return random.pick([
    () => random.flipped(good, 0, 4),
    () => random.flipped(good, 52, 56),
    () => random.flipped(good, good.length - 8, good.length),
    () => concat(good, zeros(128)),
    () => concat(good, u8(0)),
    () => random.bytes(128),
    () => concat(good.slice(0, 52), u32(0xffffffff), good.slice(56)),
  ])();
}

// Authentic, and malformed inside: the index is used up, nothing is shown.
export async function authenticNonsense({ random, peer }) {
  const { chainSeed, body } = randomBody(random);
  body.flags = 0;
  const plain = malformedContent(random);
  const { wire } = sealMessage(fromOf(body, chainSeed), startOf(body, body.firstIndex), plain, random.bytes(8));
  const opened = await bothOpen(peer, body, [wire, wire], 'authentic nonsense');
  agree(opened[1] === 'refused', 'its index is used up');
  const theirs = await peer.ask('record', { kind: 'content', bytes: hex(plain) });
  const ours = orNull(() => content.encode(content.parse(plain)));
  sameValue(ours && hex(ours), theirs.bytes ?? null, 'the content alone');
}

function recipients(random, n) {
  return Array.from({ length: n }, (_, i) => {
    const secret = random.bytes(32);
    return { devNo: random.word(), keyId: (i * 7919 + random.below(7000)) >>> 0, secret, key: sealPublic(secret) };
  });
}

const rule = (answer) => (answer.refused ? answer.detail.slice(0, 2) : 'opened');

async function bothOpenGrant(peer, wire, to, identity, what) {
  const ours = openGrant(wire, (keyId) => (keyId === to.keyId ? to.secret : null));
  const theirs = await peer.ask('grant_open', { wire: hex(wire), keys: [{ id: to.keyId, secret: hex(to.secret) }] });
  sameValue(ours.rule ?? 'opened', rule(theirs), what);
  if (ours.rule) return false;
  sameBytes(ours.bytes, theirs.body, `${what}: the body`);
  sameBytes(ours.signature, theirs.signature, `${what}: the signature`);
  return grantSignedBy(ours, identity);
}

async function theirGrant(peer, body, chainSeed, identitySeed, dk, to) {
  const { uploads } = await peer.ask('grant_seal', { body: hex(chainBody.encode(body)), chain_seed: hex(chainSeed),
    identity_seed: hex(identitySeed), random: hex(dk),
    recipients: to.map((r) => ({ dev_no: r.devNo, key_id: r.keyId, key: hex(r.key) })) });
  return uploads.map(unhex);
}

// where each field of the 524 bytes lies, so that every rule gets its flipped bits
const PARTS = [[0, 4], [4, 20], [20, 36], [36, 52], [52, 84], [84, 88], [88, 432], [436, 440], [440, 524]];

export async function grant({ random, peer, nth }) {
  const { chainSeed, body } = randomBody(random);
  const [identitySeed, dk] = [random.bytes(32), random.bytes(32)];
  const to = recipients(random, WRAPS[nth % WRAPS.length]);
  const [theirs] = await theirGrant(peer, body, chainSeed, identitySeed, dk, to);
  const [ours] = sealGrant(body, identitySeed, dk, to, () => random.bytes(32));
  sameBytes(ours.slice(0, 432), theirs.slice(0, 432), 'the shared part');
  const identity = signingPublic(identitySeed);
  const i = random.below(to.length);
  for (const upload of [ours, theirs]) {
    const wire = delivered(upload, i);
    agree(await bothOpenGrant(peer, wire, to[i], identity, 'a grant'), 'it is signed by its sender');
  }
  const wire = delivered(random.pick([ours, theirs]), i);
  const changed = random.flipped(wire, ...PARTS[nth % PARTS.length]);
  agree(!(await bothOpenGrant(peer, changed, to[i], identity, 'a changed grant')), 'a changed grant is refused');
  const other = random.pick([wire.slice(0, -1), concat(wire, u8(0)), delivered(sealGrant({ ...body, epoch: body.epoch ^ 1n },
    random.bytes(32), dk, [to[i]], () => random.bytes(32))[0], 0)]);
  agree(!(await bothOpenGrant(peer, other, to[i], identity, 'a grant of another')), 'it is not the sender\'s');
}

// 699 to 701 recipients: where an upload ends, and how it is fanned out.
export async function largeGrant({ random, peer, nth }) {
  const { chainSeed, body } = randomBody(random);
  const [identitySeed, dk] = [random.bytes(32), random.bytes(32)];
  const n = [700, 701, 699][nth % 3];
  const few = recipients(random, 4);
  const to = Array.from({ length: n }, (_, i) => ({ ...few[i % 4], devNo: i }));
  const theirs = await theirGrant(peer, body, chainSeed, identitySeed, dk, to);
  const counts = theirs.map((upload) => (upload.length - 432) / 92);
  sameValue(n > 700 ? [700, n - 700] : [n], counts, 'wraps in each upload');
  const { delivered: each } = await peer.ask('grant_fan_out', { wire: hex(theirs[0]) });
  for (const i of [0, 1, counts[0] - 1]) {
    sameBytes(delivered(theirs[0], i), each[i], 'what one device gets');
    agree(await bothOpenGrant(peer, unhex(each[i]), to[i], signingPublic(identitySeed), 'a large grant'), 'it opens');
  }
  const many = concat(theirs[0].slice(0, 84), u32(701), theirs[0].slice(88), theirs[0].slice(432, 432 + 92 * (701 - counts[0])));
  const refused = await peer.ask('grant_fan_out', { wire: hex(many) });
  agree(refused.refused !== undefined, 'an upload of 701 wraps is refused');
}
