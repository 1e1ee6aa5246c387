// Section 2.11.2, steps 2 to 4 and 6: all records of one user, judged together.
//
// keys: {org, ea, directory, administrators}. parseEntry answers the entry, or null when a step fails.
import { Malformed, compare, equal } from './bytes.js';
import { APPROVED, FIRST, VOUCHED, deviceCert, deviceRevoke } from './device.js';
import { deviceId, keyActor } from './identifiers.js';
import { addressLeaf, isPresent, userLeaf } from './map.js';
import { sha256 } from './primitives.js';

const of = (list, device) => list.find((record) => equal(record.device, device));
const ascending = (list) => list.every((record, i) => i === 0 || compare(list[i - 1].device, record.device) < 0);

function read(records) {
  const certs = [];
  const revokes = [];
  for (const bytes of records) {
    if (bytes.length === 344 && revokes.length === 0) certs.push(deviceCert.parse(bytes));
    else revokes.push(deviceRevoke.parse(bytes));
  }
  return { certs, revokes };
}

function counted({ certs, revokes }) {
  const seqs = [...certs, ...revokes].map((record) => record.seq);
  return new Set(seqs).size === seqs.length && certs.filter((c) => c.flags === FIRST).length <= 1;
}

function admitted(entry, c, keys) {
  if (c.flags === FIRST) return true;
  if (c.flags === APPROVED) return keys.administrators.some((admin) => deviceCert.approvedBy(c, keys.org, admin));
  const voucher = of(entry.certs, c.voucher);
  const revoked = of(entry.revokes, c.voucher);
  return voucher !== undefined && voucher !== c && !(revoked && revoked.seq < c.seq)
    && deviceCert.vouchedBy(c, voucher.identity);
}

// following vouchers ends without a cycle
function rooted(entry, cert) {
  const seen = new Set();
  for (let at = cert; at.flags === VOUCHED; at = of(entry.certs, at.voucher)) {
    if (seen.has(at)) return false;
    seen.add(at);
  }
  return true;
}

function certHolds(entry, c, keys) {
  return equal(c.device, deviceId(c.user, c.identity)) && deviceCert.selfSigned(c)
    && deviceCert.certifiedBy(c, keys.org, keys.ea) && admitted(entry, c, keys);
}

function revokeHolds(entry, v, keys) {
  if (!of(entry.certs, v.device)) return false;
  const admin = keys.administrators.find((key) => equal(keyActor(key), v.actor));
  if (admin) return deviceRevoke.byAdmin(v, keys.org, admin);
  const actor = of(entry.certs, v.actor);
  const revoked = of(entry.revokes, v.actor);
  return actor !== undefined && !(revoked && revoked.seq < v.seq) && deviceRevoke.byDevice(v, actor.identity);
}

export function parseEntry(user, records, keys) {
  if (records.length < 1 || records.length > 128) return null;
  let entry;
  try {
    entry = { user, records, ...read(records) };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
  const { certs, revokes } = entry;
  const holds = ascending(certs) && ascending(revokes) && [...certs, ...revokes].every((r) => equal(r.user, user))
    && counted(entry) && certs.every((c) => certHolds(entry, c, keys)) && certs.every((c) => rooted(entry, c))
    && revokes.every((v) => revokeHolds(entry, v, keys));
  return holds ? entry : null;
}

// of the unrevoked certificate with the highest seq; null when all are revoked
export function addressOf(entry) {
  const newest = entry.certs.filter((c) => !of(entry.revokes, c.device)).sort((a, b) => b.seq - a.seq)[0];
  return newest?.attestHash ?? null;
}

export function activeDevices(entry, now) {
  const address = addressOf(entry);
  return entry.certs
    .filter((c) => !of(entry.revokes, c.device) && c.notBefore <= now && now < c.notAfter && equal(c.attestHash, address))
    .map((c) => c.device);
}

export const entryLeaf = (entry) => userLeaf(entry.user, entry.records.map((record) => sha256(record)));
export const entryIsIn = (entry, path, head) => isPresent(entryLeaf(entry), path, head.mapRoot);

export function addressIsIn(entry, hash, path, head) {
  const address = addressOf(entry);
  return address !== null && equal(address, hash) && isPresent(addressLeaf(hash, entry.user), path, head.mapRoot);
}
