// Section 2.6, the receiver rules R4 to R8: what becomes of a grant that opened, by what the receiver knows.
//
// facts: {ownUser, retention, entryKnown, sender, revoke, stateAtEpoch, rosterAtEpoch, rosterNow, closed, head, headTs,
// highest, held}; what is not known is null. Answers 'opened', 'held', 'withheld' or 'dropped'.
import { equal } from './bytes.js';
import { fastForward, grantSignedBy } from './grant.js';

const DAY = 86400000n;
const SLACK = 600000n;
const REPLACED = 1;
const READER = 1;
const LARGE_ROSTER = 142;

const member = (roster, user) => roster.find((m) => equal(m.user, user));
const mayPost = (roster, user) => (member(roster, user)?.role ?? READER) !== READER;

function r4(grant, facts, now) {
  if (!facts.entryKnown) return 'held';
  const { sender, revoke } = facts;
  if (!sender || !equal(sender.device, grant.body.device) || !equal(sender.user, grant.body.user)
    || !grantSignedBy(grant, sender.identity)) return 'dropped';
  if (revoke) return revoke.reason === REPLACED && grant.body.created < revoke.effective ? 'opened' : 'withheld';
  return sender.notBefore <= now && now < sender.notAfter ? 'opened' : 'dropped';
}

function r5({ body }, { stateAtEpoch, rosterAtEpoch, rosterNow, closed, ownUser }) {
  if (stateAtEpoch === null) return 'held';
  const fits = equal(stateAtEpoch, body.state) && !closed && mayPost(rosterAtEpoch, body.user)
    && mayPost(rosterNow, body.user) && member(rosterAtEpoch, ownUser) !== undefined;
  return fits ? 'opened' : 'dropped';
}

function r6({ body }, { head, headTs }) {
  if (head === 'unknown') return 'held';
  return head === 'verified' && headTs + DAY + SLACK >= body.created ? 'opened' : 'dropped';
}

function r7({ body }, { held, highest }) {
  return (held ? fastForward(held, body) : body.chainNo > highest) ? 'opened' : 'dropped';
}

function r8({ body: b }, { rosterAtEpoch, retention }, now) {
  const limit = (rosterAtEpoch?.length ?? 0) > LARGE_ROSTER ? 7n * DAY : DAY;
  const since2020 = b.created / 1000n - 1577836800n;
  const fits = b.created <= now + SLACK && now < b.expires + retention && b.expires >= b.created
    && b.expires <= b.created + limit && BigInt(b.chainNo) <= since2020 + 1000n && b.firstIndex <= b.maxIndex
    && b.maxIndex <= 1023;
  return fits ? 'opened' : 'dropped';
}

export function judgeGrant(grant, facts, now) {
  // R8 before R7: it bounds the ratchet
  const rules = [r4(grant, facts, now), r5(grant, facts), r6(grant, facts), r8(grant, facts, now)];
  rules.push(rules[3] === 'opened' ? r7(grant, facts) : 'dropped');
  return ['dropped', 'held', 'withheld'].find((outcome) => rules.includes(outcome)) ?? 'opened';
}
