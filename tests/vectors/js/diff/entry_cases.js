// Entries of the directory: certificates, vouchers, approvals and revocations, whole and with one thing wrong.
import { compare, hex, zeros } from '../nm1/bytes.js';
import { APPROVED, FIRST, VOUCHED, deviceCert, deviceRevoke } from '../nm1/device.js';
import { activeDevices, addressOf, entryLeaf, parseEntry } from '../nm1/entry.js';
import { deviceId, keyActor, keyId } from '../nm1/identifiers.js';
import { sign, signingPublic } from '../nm1/primitives.js';
import { agree, sameValue } from './agree.js';

const NOW = 1780000000000n;
const DAY = 86400000n;

function organisation(random) {
  const seeds = { ea: random.bytes(32), directory: random.bytes(32), admins: [random.bytes(32), random.bytes(32)] };
  return { seeds, keys: { org: random.bytes(16), ea: signingPublic(seeds.ea), directory: signingPublic(seeds.directory),
    administrators: seeds.admins.map(signingPublic) } };
}

function signCert(org, body, seed, voucher) {
  const part = deviceCert.body(body);
  const admin = org.seeds.admins[0];
  const by = { [FIRST]: () => [zeros(16), zeros(64)],
    [VOUCHED]: () => [voucher.device, sign(voucher.seed, 'NM1/devcert-vch', part)],
    [APPROVED]: () => [keyActor(signingPublic(admin)), sign(admin, 'NM1/devcert-vch', org.keys.org, part)] }[body.flags]();
  return { ...body, selfSig: sign(seed, 'NM1/devcert-self', part), eaKey: keyId(org.keys.ea),
    eaSig: sign(org.seeds.ea, 'NM1/devcert-ea', org.keys.org, part), voucher: by[0], voucherSig: by[1] };
}

// Devices that vouch for one another in a line or, when the roll says so, in a ring.
// Numbers are drawn, so that some were revoked before they vouched or revoked.
function certificates(random, org, user, seqs) {
  const devices = Array.from({ length: random.between(1, 4) }, () => {
    const seed = random.bytes(32);
    return { seed, device: deviceId(user, signingPublic(seed)) };
  });
  const ring = random.chance(1, 8);
  const address = random.bytes(32);
  return devices.map((d, i) => {
    const flags = i === 0 && !ring ? random.pick([FIRST, APPROVED]) : random.pick([VOUCHED, VOUCHED, APPROVED]);
    const voucher = ring ? devices[(i + 1) % devices.length] : devices[random.below(Math.max(i, 1))];
    const body = { role: random.between(1, 2), flags, user, device: d.device, identity: signingPublic(d.seed), seq: seqs.pop(),
      platform: 1, attestKind: 1, notBefore: NOW + random.pick([-DAY, -1n, 0n, 1n]), notAfter: NOW + random.pick([DAY, 2n, 365n * DAY]),
      attestHash: random.chance(1, 6) ? random.bytes(32) : address };
    return { seed: d.seed, cert: signCert(org, body, d.seed, voucher) };
  });
}

function revocations(random, org, user, certs, seqs) {
  const out = [];
  for (const { cert } of certs) {
    if (!random.chance(1, 3)) continue;
    const byAdmin = random.chance(1, 2);
    const actor = random.pick(certs);
    const admin = org.seeds.admins[1];
    const body = { reason: random.between(1, 4), user, device: cert.device, effective: NOW,
      actor: byAdmin ? keyActor(signingPublic(admin)) : actor.cert.device, seq: seqs.pop() };
    const part = deviceRevoke.body(body);
    out.push({ ...body, signature: byAdmin ? sign(admin, 'NM1/devrevoke', org.keys.org, part) : sign(actor.seed, 'NM1/devrevoke', part) });
  }
  return out;
}

// one thing wrong with an entry
function wrong(random, records) {
  const i = random.below(records.length);
  const put = (bytes) => records.map((r, j) => (i === j ? bytes : r));
  return random.pick([() => put(random.flipped(records[i])), () => put(random.flipped(records[i], 4, 128)),
    () => random.shuffled(records), () => records.slice(1), () => [...records, records[i]], () => [],
    () => put(records[i].slice(0, -1)), () => Array.from({ length: 129 }, () => records[0])])();
}

async function bothJudge(peer, user, records, keys, what) {
  const entry = parseEntry(user, records, keys);
  const theirs = await peer.ask('entry', { user: hex(user), records: records.map(hex), now: NOW,
    keys: { org: hex(keys.org), ea: hex(keys.ea), directory: hex(keys.directory), administrators: keys.administrators.map(hex) } });
  sameValue(entry !== null, theirs.refused === undefined, `${what} (${theirs.detail})`);
  if (entry === null) return false;
  const address = addressOf(entry);
  sameValue({ active: activeDevices(entry, NOW).map(hex), address: address && hex(address), leaf: hex(entryLeaf(entry).content) },
    theirs, `${what}: what it says`);
  return true;
}

export async function entries({ random, peer }) {
  const org = organisation(random);
  const user = random.bytes(16);
  const inOrder = [8, 7, 6, 5, 4, 3, 2, 1];
  const seqs = random.chance(1, 2) ? inOrder : random.shuffled(inOrder);
  const certs = certificates(random, org, user, seqs);
  const revokes = revocations(random, org, user, certs, seqs);
  const sorted = (list) => [...list].sort((a, b) => compare(a.device, b.device));
  const records = [...sorted(certs.map((c) => c.cert)).map(deviceCert.encode), ...sorted(revokes).map(deviceRevoke.encode)];
  const good = await bothJudge(peer, user, records, org.keys, 'an entry');
  if (good && records.length === 1) agree(records[0].length === 344, 'an entry has a certificate');
  await bothJudge(peer, user, wrong(random, records), org.keys, 'an entry with something wrong');
  const other = random.pick([{ org: random.bytes(16) }, { ea: signingPublic(random.bytes(32)) },
    { administrators: [signingPublic(random.bytes(32))] }, { administrators: [] }]);
  const stays = await bothJudge(peer, user, records, { ...org.keys, ...other }, 'under other keys');
  if (other.ea || other.org) agree(!stays, 'another authority is refused');
  agree(!(await bothJudge(peer, random.bytes(16), records, org.keys, "another's entry")), "another's entry is refused");
  await singleSignatures(peer, random, org, certs, revokes);
}

async function singleSignatures(peer, random, org, certs, revokes) {
  const { cert } = random.pick(certs);
  const bytes = random.chance(1, 2) ? deviceCert.encode(cert) : random.flipped(deviceCert.encode(cert), 128, 264);
  const c = deviceCert.parse(bytes);
  const key = random.pick([org.keys.ea, org.keys.administrators[0], certs[0].cert.identity]);
  const name = random.pick(['cert_self', 'cert_ea', 'cert_device', 'cert_admin']);
  const ours = { cert_self: () => deviceCert.selfSigned(c), cert_ea: () => deviceCert.certifiedBy(c, org.keys.org, key),
    cert_device: () => deviceCert.vouchedBy(c, key), cert_admin: () => deviceCert.approvedBy(c, org.keys.org, key) }[name]();
  const theirs = await peer.ask('signature', { check: name, bytes: hex(bytes), key: hex(key), org: hex(org.keys.org) });
  sameValue(ours, theirs.holds, name);
  if (revokes.length === 0) return;
  const v = revokes[0];
  const by = random.pick([org.keys.administrators[1], certs[0].cert.identity]);
  const given = { bytes: hex(deviceRevoke.encode(v)), key: hex(by), org: hex(org.keys.org) };
  sameValue(deviceRevoke.byDevice(v, by), (await peer.ask('signature', { check: 'revoke_device', ...given })).holds, 'by a device');
  sameValue(deviceRevoke.byAdmin(v, org.keys.org, by), (await peer.ask('signature', { check: 'revoke_admin', ...given })).holds, 'by an administrator');
}
