// Section 2.5: conversation events, and what each makes of the roster. Who may sign is the caller's to prove.
//
// A roster is a list of {user, role}, ascending. apply() answers the next state, or null when the event does not fit.
import { Reader, compare, concat, equal, label, refuse, u16, u64, u8, utf8, zeros } from './bytes.js';
import { leafHash, root } from './merkle.js';
import { H, verify } from './primitives.js';

export const [CREATE, CHANGE, RESTATE, CLOSE] = [1, 2, 3, 4];
const [ADD, REMOVE, SET_ROLE] = [1, 2, 3];
const ADMINISTRATOR = 3;

export const convEvent = {
  body: (e) => concat(utf8('NMcs'), u8(1), u8(1), u8(e.kind), u8(0), e.conversation, u64(e.epoch), e.prev,
    e.actorUser, e.actorDevice, u64(e.ts), u64(e.dirRevision), e.dirHead, u16(e.items.length),
    ...e.items.map((i) => concat(i.user, u8(i.role), u8(i.op))), e.rosterRoot),
  encode: (e) => concat(convEvent.body(e), e.signature),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMcs');
    r.versionAndSuite();
    const kind = r.oneOf(CREATE, CHANGE, RESTATE, CLOSE);
    r.zeros(1);
    const out = { kind, conversation: r.take(16), epoch: r.u64(), prev: r.take(32), actorUser: r.take(16),
      actorDevice: r.take(16), ts: r.u64(), dirRevision: r.u64(), dirHead: r.take(32), items: [] };
    for (let n = r.u16(); n > 0; --n)
      out.items.push({ user: r.take(16), role: r.oneOf(1, 2, 3), op: r.oneOf(ADD, REMOVE, SET_ROLE) });
    out.rosterRoot = r.take(32);
    out.signature = r.take(64);
    r.done();
    checkItems(out);
    return out;
  },
  state: (e) => H('NM1/convstate', convEvent.body(e)),
  groupId: (e) => H('NM1/convid', convEvent.body({ ...e, conversation: zeros(16) })).slice(0, 16),
  signedBy: (e, identity) => verify(identity, e.signature, 'NM1/convevent', convEvent.body(e)),
  appointedBy: (e, key, org) => verify(key, e.signature, 'NM1/convevent', concat(org, convEvent.body(e))),
};

export const byOrganisation = (e) => equal(e.actorUser, zeros(16));

function checkItems(event) {
  const { kind, epoch, items } = event;
  if (byOrganisation(event) && !(kind === CHANGE && items.length === 1 && items[0].op === SET_ROLE && items[0].role === ADMINISTRATOR))
    refuse('the organisation appoints one administrator, and nothing else');
  if ((kind === CREATE) !== (epoch === 1n) || epoch === 0n) refuse('epoch 1 is a create, and no other');
  if ((kind === CLOSE) !== (items.length === 0)) refuse('a close alone has no items');
  if ((kind === CREATE || kind === RESTATE) && items.some((i) => i.op !== ADD)) refuse('only adds');
  items.forEach((item, i) => {
    if (i > 0 && compare(items[i - 1].user, item.user) >= 0) refuse('items out of order');
  });
}

export const rosterRoot = (roster) =>
  root(roster.map((m) => leafHash(concat(label('NM1/roster'), m.user, u8(m.role)))));

const find = (roster, user) => roster.find((m) => equal(m.user, user));
const administrators = (roster) => roster.filter((m) => m.role === ADMINISTRATOR).length;
const sorted = (roster) => [...roster].sort((a, b) => compare(a.user, b.user));

// one item on a roster; null when it does not fit
function withItem(roster, item) {
  const there = find(roster, item.user);
  const others = roster.filter((m) => m !== there);
  if (item.op === ADD) return there ? null : [...roster, { user: item.user, role: item.role }];
  if (!there) return null;
  if (item.op === REMOVE) return there.role === item.role ? others : null;
  return [...others, { user: item.user, role: item.role }];
}

function nextRoster(roster, event) {
  if (event.kind === CLOSE) return roster;
  const fresh = event.kind === CREATE || event.kind === RESTATE;
  let out = fresh ? [] : roster;
  for (const item of event.items) {
    out = withItem(out, item);
    if (out === null) return null;
  }
  return sorted(out);
}

const asState = (event, roster) =>
  ({ conversation: event.conversation, epoch: event.epoch, state: convEvent.state(event), roster, closed: event.kind === CLOSE });

export function create(event) {
  const roster = nextRoster([], event);
  const fits = event.kind === CREATE && equal(event.conversation, convEvent.groupId(event)) && roster !== null
    && equal(rosterRoot(roster), event.rosterRoot) && find(roster, event.actorUser)?.role === ADMINISTRATOR;
  return fits ? asState(event, roster) : null;
}

// A fork's hash, over the newest states of both branches.
export const forkHash = (one, other) => H('NM1/convfork', ...[one, other].map((s) => s.state).sort(compare));

// The restate that ends a fork: over who is in both branches, of two roles the lower, by an administrator of both.
export function mend(one, other, event) {
  const both = one.roster.map((m) => ({ user: m.user, role: Math.min(m.role, find(other.roster, m.user)?.role ?? 0) }))
    .filter((m) => m.role > 0);
  const epoch = (one.epoch > other.epoch ? one.epoch : other.epoch) + 1n;
  const roster = nextRoster([], event);
  const fits = event.kind === RESTATE && equal(event.conversation, one.conversation) && event.epoch === epoch
    && equal(event.prev, forkHash(one, other)) && !one.closed && !other.closed && roster !== null
    && equal(rosterRoot(roster), event.rosterRoot) && equal(rosterRoot(both), event.rosterRoot)
    && find(both, event.actorUser)?.role === ADMINISTRATOR;
  return fits ? asState(event, roster) : null;
}

const TEN_MINUTES = 600_000n;

// An appointment, with what it is judged by: keys {org, administrators: [{id, key}]}, the named head's ts, and the
// devices [{notBefore, revoked: effective or null}] of a user, or null when their entry is not here.
function judgeAppointment(known, event, { org, administrators: pinned, headTs, devicesOf }) {
  const signer = pinned.find((a) => equal(a.id, event.actorDevice));
  if (!signer || !convEvent.appointedBy(event, signer.key, org)) return 'dropped';
  const member = find(known.roster, event.items[0].user);
  if (!member || member.role === ADMINISTRATOR || event.ts + TEN_MINUTES < headTs) return 'dropped';
  const entries = known.roster.filter((m) => m.role === ADMINISTRATOR).map((m) => devicesOf(m.user));
  const stands = (d) => d.notBefore <= event.ts && (d.revoked === null || d.revoked > event.ts);
  if (entries.some((devices) => devices !== null && devices.some(stands))) return 'dropped';
  return entries.includes(null) ? 'held' : 'applied';
}

// What becomes of an appointment on the state known: an outcome, and the next state when it is applied.
export function appoint(known, event, facts) {
  const follows = equal(event.conversation, known.conversation) && !known.closed && event.epoch === known.epoch + 1n
    && equal(event.prev, known.state);
  if (!follows || !byOrganisation(event)) return { outcome: 'dropped' };
  const roster = nextRoster(known.roster, event);
  if (roster === null || !equal(rosterRoot(roster), event.rosterRoot)) return { outcome: 'dropped' };
  const outcome = judgeAppointment(known, event, facts);
  return outcome === 'applied' ? { outcome, next: asState(event, roster) } : { outcome };
}

// The rules of "Apply" but for who is proven and which head holds: a member's event on the state known.
export function apply(known, event) {
  if (!equal(event.conversation, known.conversation) || known.closed || event.epoch !== known.epoch + 1n || !equal(event.prev, known.state)) return null;
  const actor = find(known.roster, event.actorUser);
  const leaving = event.kind === CHANGE && event.items.length === 1 && event.items[0].op === REMOVE
    && equal(event.items[0].user, event.actorUser);
  if (!actor || (actor.role !== ADMINISTRATOR && !leaving)) return null;
  const roster = nextRoster(known.roster, event);
  if (roster === null || !equal(rosterRoot(roster), event.rosterRoot)) return null;
  if (event.kind === RESTATE && !equal(rosterRoot(known.roster), event.rosterRoot)) return null;
  if (administrators(known.roster) > 0 && administrators(roster) === 0) return null;
  return asState(event, roster);
}
