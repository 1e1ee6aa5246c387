// Conversations: a random history of events, some that do not fit, applied by both.
import { compare, concat, hex, zeros } from '../nm1/bytes.js';
import { CHANGE, CLOSE, CREATE, RESTATE, appoint, apply, convEvent, create, rosterRoot } from '../nm1/conversation.js';
import { keyActor } from '../nm1/identifiers.js';
import { sign, signingPublic } from '../nm1/primitives.js';
import { orNull, sameBytes, sameValue } from './agree.js';

const ADD = 1;
const REMOVE = 2;
const SET_ROLE = 3;

function signed(event, maker) {
  return { event: { ...event, signature: sign(maker.seed, 'NM1/convevent', convEvent.body(event)) }, maker };
}

const common = (random, maker) => ({ actorUser: maker.user, actorDevice: maker.device, ts: random.u64(),
  dirRevision: random.u64(), dirHead: random.bytes(32) });

function creation(random, people) {
  const roster = people.slice(0, random.between(1, 4)).map((p, i) => ({ user: p.user, role: i === 0 ? 3 : random.between(1, 3) }))
    .sort((a, b) => compare(a.user, b.user));
  const event = { kind: CREATE, conversation: zeros(16), epoch: 1n, prev: random.bytes(32), ...common(random, people[0]),
    items: roster.map((m) => ({ ...m, op: ADD })), rosterRoot: rosterRoot(roster) };
  const conversation = random.chance(1, 10) ? random.bytes(16) : convEvent.groupId(event);
  return signed({ ...event, conversation }, people[0]);
}

// items for some of the people, fitting or not, and the roster that a plain reading makes of them
function changes(random, roster, people) {
  const items = [];
  let next = [...roster];
  for (const { user } of [...people].sort((a, b) => compare(a.user, b.user))) {
    if (!random.chance(2, 5)) continue;
    const there = roster.find((m) => compare(m.user, user) === 0);
    const op = random.chance(1, 12) ? random.between(1, 3) : there ? random.pick([REMOVE, SET_ROLE]) : ADD;
    const role = op === REMOVE && there && !random.chance(1, 12) ? there.role : random.between(1, 3);
    items.push({ user, role, op });
    next = next.filter((m) => compare(m.user, user) !== 0);
    if (op !== REMOVE) next.push({ user, role });
  }
  return { items, next: next.sort((a, b) => compare(a.user, b.user)) };
}

function following(random, known, people) {
  const maker = random.chance(1, 6) ? random.pick(people)
    : people.find((p) => known.roster.some((m) => m.role === 3 && compare(m.user, p.user) === 0));
  const kind = random.pick([CHANGE, CHANGE, CHANGE, CHANGE, RESTATE, CLOSE]);
  const leaving = kind === CHANGE && random.chance(1, 5);
  const own = known.roster.find((m) => compare(m.user, maker.user) === 0);
  let { items, next } = { items: [], next: known.roster };
  if (kind === RESTATE) items = known.roster.map((m) => ({ ...m, op: ADD }));
  if (leaving && own) [items, next] = [[{ ...own, op: REMOVE }], known.roster.filter((m) => m !== own)];
  else if (kind === CHANGE) ({ items, next } = changes(random, known.roster, people));
  if (kind === CHANGE && items.length === 0) return null;
  const event = { kind, conversation: known.conversation, epoch: known.epoch + 1n, prev: known.state,
    ...common(random, maker), items, rosterRoot: rosterRoot(next) };
  if (random.chance(1, 12)) event.rosterRoot = random.bytes(32);
  if (random.chance(1, 12)) event.prev = random.bytes(32);
  if (random.chance(1, 20)) event.conversation = random.bytes(16);
  return signed(event, random.chance(1, 12) ? { ...maker, seed: random.bytes(32) } : maker);
}

export async function roster({ random, peer }) {
  const people = Array.from({ length: 5 }, () => {
    const seed = random.bytes(32);
    return { user: random.bytes(16), device: random.bytes(16), seed, key: signingPublic(seed) };
  });
  const personOf = (event) => people.find((p) => compare(p.user, event.actorUser) === 0);
  const steps = [creation(random, people)];
  let known = create(steps[0].event);
  const ours = [known ? 'applied' : 'dropped'];
  for (let i = random.between(1, 8); known && i > 0; --i) {
    const step = following(random, known, people);
    if (step === null) continue;
    const parsed = orNull(() => convEvent.parse(convEvent.encode(step.event)));
    const next = parsed && convEvent.signedBy(parsed, personOf(parsed).key) ? apply(known, parsed) : null;
    steps.push(step);
    ours.push(parsed === null ? 'malformed' : next ? 'applied' : 'dropped');
    known = next ?? known;
  }
  const theirs = await peer.ask('events', { events: steps.map(({ event }) => {
    const person = personOf(event);
    return { bytes: hex(convEvent.encode(event)), user: hex(person.user), device: hex(person.device), key: hex(person.key) };
  }) });
  // an event on an unknown state may be a branch that comes later: it is held there, and here does not fit
  const plain = theirs.outcomes.map((outcome) => (outcome === 'held' ? 'dropped' : outcome));
  sameValue(ours, plain, 'what became of the events');
  if (!known) return;
  sameValue(known.roster.map((m) => ({ role: m.role, user: hex(m.user) })), theirs.roster, 'the roster');
  sameBytes(known.state, theirs.state, 'conv_state');
  sameValue([String(known.epoch), known.closed], [String(theirs.epoch), theirs.closed], 'epoch, closed');
}

const NOW = 1780000000000n;

// when devices began and what ended them, around the time of the event
const randomDevices = (random) => Array.from({ length: random.between(0, 3) }, () => ({
  notBefore: NOW + BigInt(random.between(-2, 1)),
  revoked: random.chance(3, 4) ? NOW + BigInt(random.between(-2, 1)) : null }));

function randomAppointment(random, known, admin, org) {
  const target = random.chance(1, 8) ? { user: random.bytes(16), role: 2 } : random.pick(known.roster);
  const item = { user: target.user, role: random.chance(1, 16) ? 2 : 3, op: random.chance(1, 16) ? ADD : SET_ROLE };
  const raised = known.roster.map((m) => (m === target ? { ...m, role: item.role } : m));
  const event = { kind: CHANGE, conversation: known.conversation, epoch: known.epoch + (random.chance(1, 16) ? 2n : 1n),
    prev: known.state, actorUser: zeros(16), actorDevice: keyActor(signingPublic(admin)), ts: NOW, dirRevision: random.u64(),
    dirHead: random.bytes(32), items: [item], rosterRoot: rosterRoot(random.chance(1, 16) ? known.roster : raised) };
  const by = random.chance(1, 8) ? random.bytes(32) : admin;
  return { ...event, signature: sign(by, 'NM1/convevent', concat(random.chance(1, 16) ? zeros(0) : org, convEvent.body(event))) };
}

export async function appointment({ random, peer }) {
  const people = Array.from({ length: 4 }, () => ({ user: random.bytes(16), device: random.bytes(16), seed: random.bytes(32) }));
  let { event: first } = creation(random, people);
  for (; create(first) === null;) ({ event: first } = creation(random, people));
  const known = create(first);
  const [admin, org] = [random.bytes(32), random.bytes(16)];
  const pinned = [random.bytes(32), admin].slice(random.chance(1, 12) ? 1 : 0).map(signingPublic);
  const entries = known.roster.filter((m) => m.role === 3 && !random.chance(1, 12))
    .map((m) => ({ user: m.user, devices: randomDevices(random) }));
  const headTs = NOW + random.pick([-1n, 0n, 600000n, 600001n]);
  const facts = { org, administrators: pinned.map((key) => ({ id: keyActor(key), key })), headTs,
    devicesOf: (user) => entries.find((e) => compare(e.user, user) === 0)?.devices ?? null };
  const event = randomAppointment(random, known, admin, org);
  const parsed = orNull(() => convEvent.parse(convEvent.encode(event)));
  const ours = parsed === null ? { outcome: 'malformed' } : appoint(known, parsed, facts);
  const theirs = await peer.ask('appointment', { create: hex(convEvent.encode(first)), maker: hex(signingPublic(people[0].seed)),
    bytes: hex(convEvent.encode(event)), org: hex(org), administrators: pinned.map(hex), head_ts: headTs,
    entries: entries.map((e) => ({ user: hex(e.user),
      devices: e.devices.map((d) => ({ not_before: d.notBefore, revoked: d.revoked })) })) });
  // what stands on an epoch that is not here is held there, and here does not fit
  const plain = theirs.outcome === 'held' && event.epoch !== known.epoch + 1n ? 'dropped' : theirs.outcome;
  sameValue(ours.outcome, plain, 'what became of an appointment');
  if (ours.outcome !== 'applied') return;
  sameBytes(ours.next.state, theirs.state, 'conv_state');
  sameValue(ours.next.roster.map((m) => ({ role: m.role, user: hex(m.user) })), theirs.roster, 'the roster');
}

export async function rosterRoots({ random, peer }) {
  const list = Array.from({ length: random.pick([0, 1, 2, 3, 4, 5, 142, 143]) }, () => ({ user: random.bytes(16), role: random.between(1, 3) }))
    .sort((a, b) => compare(a.user, b.user));
  const { root } = await peer.ask('roster_root', { roster: list.map((m) => ({ user: hex(m.user), role: m.role })) });
  sameBytes(rosterRoot(list), root, 'roster_root32');
}
