// The receiver's rules R4 to R8: grants that are right, and grants and facts with one thing beside the rule.
import { compare, concat, hex, zeros } from '../nm1/bytes.js';
import { ReceivingChain, nextKeys } from '../nm1/chain.js';
import { deviceCert } from '../nm1/device.js';
import { chainBody, grantHeader } from '../nm1/grant.js';
import { chainId } from '../nm1/identifiers.js';
import { judgeGrant } from '../nm1/judge.js';
import { H, sign, signingPublic } from '../nm1/primitives.js';
import { agree, sameValue } from './agree.js';

const NOW = 1780000000000n;
const DAY = 86400000n;
const SLACK = 600000n;
const SINCE_2020 = Number(NOW / 1000n) - 1577836800;

function certOf(body, seed, change) {
  return deviceCert.encode({ role: 1, flags: 0, user: body.user, device: body.device, identity: signingPublic(seed), seq: 1,
    platform: 1, attestKind: 1, notBefore: NOW - DAY, notAfter: NOW + DAY, attestHash: zeros(32), selfSig: zeros(64),
    eaKey: zeros(8), eaSig: zeros(64), voucher: zeros(16), voucherSig: zeros(64), ...change });
}

function opened(body, seed) {
  const header = { flags: body.flags, conversation: body.conversation, device: body.device, dkCommit: zeros(32), wraps: 1,
    chain: chainId(body.device, body.conversation, body.chainNo, body.chainPublic) };
  const [bound, bytes] = [grantHeader.encode(header).slice(0, 84), chainBody.encode(body)];
  return { header, body, bytes, bound, signature: sign(seed, 'NM1/grant-sig', bound, H('NM1/grant-body', bytes)) };
}

const rosterOf = (random, members, size) => [...members, ...Array.from({ length: size - members.length }, () => ({ user: random.bytes(16), role: 2 }))]
  .sort((a, b) => compare(a.user, b.user));

function world(random, sizes) {
  const size = random.pick(sizes);
  const life = size > 142 ? 7n * DAY : DAY;
  const body = { flags: random.below(2), conversation: random.bytes(16), epoch: 4n, state: random.bytes(32),
    user: random.bytes(16), device: random.bytes(16), chainNo: SINCE_2020, firstIndex: 0, created: NOW, expires: NOW + life,
    maxIndex: 127, dirRevision: 9n, dirHead: random.bytes(32), chainKey: random.bytes(32), chainPublic: random.bytes(32),
    prevDigest: zeros(32), prevCount: 0 };
  const own = random.bytes(16);
  const roster = rosterOf(random, [{ user: own, role: 1 }, { user: body.user, role: random.between(2, 3) }], size);
  const facts = { ownUser: own, retention: 7n * DAY, entryKnown: true, revoke: null, stateAtEpoch: body.state,
    rosterAtEpoch: roster, rosterNow: roster, closed: false, head: 'verified', headTs: NOW, highest: SINCE_2020 - 1, held: null };
  return { body, facts, life, seed: random.bytes(32), cert: {}, now: NOW };
}

const withRole = (roster, user, role) => roster.map((m) => (compare(m.user, user) === 0 ? { ...m, role } : m));
const without = (roster, user) => roster.filter((m) => compare(m.user, user) !== 0);

// 142 users cannot have more than 1,000 devices, 143 can
function lifeAtTheLimit(w, random) {
  w.body.expires = w.body.created + w.life + BigInt(random.below(2));
}

// each changes one thing, at the edge of its rule
const CHANGES = [
  () => {},
  (w) => { w.facts.entryKnown = false; w.noSender = true; },
  (w) => { w.noSender = true; },
  (w, random) => { w.cert = { user: random.bytes(16) }; },
  (w, random) => { w.signer = random.bytes(32); },
  (w) => { w.cert = { notBefore: w.now }; },
  (w) => { w.cert = { notBefore: w.now + 1n }; },
  (w) => { w.cert = { notAfter: w.now }; },
  (w, random) => { w.facts.revoke = { reason: random.between(1, 4), effective: w.body.created + BigInt(random.below(2)) }; },
  (w) => { w.facts.stateAtEpoch = null; },
  (w, random) => { w.facts.stateAtEpoch = random.bytes(32); },
  (w) => { w.facts.closed = true; },
  (w) => { w.facts.rosterNow = withRole(w.facts.rosterNow, w.body.user, 1); },
  (w) => { w.facts.rosterAtEpoch = withRole(w.facts.rosterAtEpoch, w.body.user, 1); },
  (w) => { w.facts.rosterNow = without(w.facts.rosterNow, w.body.user); },
  (w) => { w.facts.rosterNow = without(w.facts.rosterNow, w.facts.ownUser); },
  (w, random) => { w.facts.ownUser = random.bytes(16); },
  (w) => { w.facts.head = 'unknown'; },
  (w) => { w.facts.head = 'failed'; },
  (w, random) => { w.facts.headTs = NOW - DAY - SLACK - BigInt(random.below(2)); },
  (w, random) => { w.facts.highest = w.body.chainNo - random.below(2); },
  (w, random) => { w.body.chainNo = SINCE_2020 + 1000 + random.below(2); },
  (w, random) => { w.now = w.body.created - SLACK - BigInt(random.below(2)); },
  (w, random) => { w.now = w.body.expires + w.facts.retention - BigInt(random.below(2)); w.cert = { notAfter: w.now + DAY }; },
  lifeAtTheLimit,
  (w) => { w.body.expires = w.body.created - 1n; },
  (w, random) => { w.body.maxIndex = 1023 + random.below(2); },
  (w, random) => { w.body.firstIndex = w.body.maxIndex + random.below(2); },
];

// R7 for a chain that is held: further on, behind, with another key or other limits.
function forward(w, random) {
  w.body.expires -= 10n; // so that an earlier beginning breaks no other rule
  const start = { ...w.body, firstIndex: random.below(4) };
  w.held = start;
  w.facts.highest = w.body.chainNo;
  let { chainKey } = start;
  const steps = random.between(0, 6);
  for (let i = 0; i < steps; ++i) chainKey = nextKeys(chainKey).next;
  Object.assign(w.body, { chainKey, firstIndex: start.firstIndex + steps });
  random.pick([() => {}, () => {}, () => { w.body.chainKey = random.flipped(chainKey); },
    () => { w.body.firstIndex = start.firstIndex + steps + random.pick([-1, 1]); }, () => { w.body.maxIndex += 1; },
    () => { w.body.expires -= 1n; }, () => { w.body.created -= 1n; }])();
  w.body.firstIndex = Math.max(w.body.firstIndex, 0);
}

export async function judging({ random, peer, nth }) {
  const which = nth % (CHANGES.length + 6);
  const w = world(random, CHANGES[which] === lifeAtTheLimit ? [142, 143] : [2, 3, 142, 143]);
  if (which < CHANGES.length) CHANGES[which](w, random);
  else forward(w, random);
  const grant = opened(w.body, w.signer ?? w.seed);
  const cert = w.noSender ? null : certOf(w.body, w.seed, w.cert);
  const held = w.held && opened(w.held, w.seed);
  const ours = judgeGrant(grant, { ...w.facts, sender: cert && deviceCert.parse(cert), held: held && ReceivingChain.ofGrant(held) }, w.now);
  const roster = (list) => list.map((m) => ({ user: hex(m.user), role: m.role }));
  const f = w.facts;
  const theirs = await peer.ask('grant_judge', { header: hex(concat(grant.bound, zeros(3), new Uint8Array([1]))),
    body: hex(grant.bytes), signature: hex(grant.signature), now: w.now, facts: { own_user: hex(f.ownUser),
      retention: f.retention, entry_known: f.entryKnown, sender: cert && hex(cert), revoke: f.revoke,
      state_at_epoch: f.stateAtEpoch && hex(f.stateAtEpoch), roster_at_epoch: roster(f.rosterAtEpoch),
      roster_now: roster(f.rosterNow), closed: f.closed, head: f.head, head_ts: f.headTs, highest: f.highest,
      held: held ? { header: hex(grantHeader.encode(held.header)), body: hex(held.bytes) } : null } });
  sameValue(ours, theirs.outcome, `the judgement of a grant (change ${which}, ${theirs.rule})`);
  if (which === 0) agree(ours === 'opened', 'a right grant opens');
}
