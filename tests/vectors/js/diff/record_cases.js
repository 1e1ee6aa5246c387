// Records: both write the same bytes, accept and refuse the same changed ones, and agree about every signature.
import { concat, hex, u8, zeros } from '../nm1/bytes.js';
import { FORMS } from '../forms.js';
import { historyCode, historyCodeText } from '../nm1/control.js';
import { convEvent } from '../nm1/conversation.js';
import { addressHash, audience, deviceCert, deviceRevoke, token } from '../nm1/device.js';
import { directoryHead } from '../nm1/directory.js';
import { chainBody, grantHeader, nextChainNo } from '../nm1/grant.js';
import { chainId, deviceId, keyActor, keyId, orgId, pairId, pairState } from '../nm1/identifiers.js';
import { encodeAbsence, encodePath } from '../nm1/map.js';
import { content, messageDigest, messageHeader, padContent, padme } from '../nm1/message.js';
import { sign, signingPublic } from '../nm1/primitives.js';
import { sealKey } from '../nm1/seal_key.js';
import { randomWipeOrder, randomWipeReceipt } from './wipe_cases.js';
import { agree, orNull, sameValue } from './agree.js';
import { randomOffer, randomRequest } from './blob_cases.js';
import { randomBody } from './sealing_cases.js';

const DAY = 86400000n;
const signed = (codec, record, seed, text) => codec.encode({ ...record, signature: sign(seed, text, codec.body(record)) });

function randomCert(random) {
  const flags = random.below(3);
  const notBefore = random.u64() >> 20n;
  return deviceCert.encode({ role: random.between(1, 2), flags, user: random.bytes(16), device: random.bytes(16),
    identity: random.bytes(32), seq: random.word(), platform: random.below(65536), attestKind: 1, notBefore,
    notAfter: notBefore + random.pick([1n, DAY, 1096n * DAY, 1096n * DAY + 1n, 0n]), attestHash: random.bytes(32),
    selfSig: random.bytes(64), eaKey: random.bytes(8), eaSig: random.bytes(64),
    voucher: flags === 0 ? zeros(16) : random.bytes(16), voucherSig: flags === 0 ? zeros(64) : random.bytes(64) });
}

const randomRevoke = (random) => deviceRevoke.encode({ reason: random.between(1, 4), user: random.bytes(16),
  device: random.bytes(16), actor: random.bytes(16), effective: random.u64(), seq: random.word(), signature: random.bytes(64) });

export function randomSealKey(random, seed, now) {
  const day = now / DAY + BigInt(random.between(-3, 3));
  const kind = random.between(1, 2);
  const notBefore = day * DAY + (random.chance(1, 6) ? 1n : 0n);
  return signed(sealKey, { kind, device: random.bytes(16), batchNo: Number(now / DAY) + random.between(-2, 3),
    keyId: random.word(), notBefore, notAfter: notBefore + random.pick([DAY, DAY, DAY, DAY + 1n, 0n, -1n]),
    key: random.bytes(32) }, seed, 'NM1/sealkey');
}

function randomEvent(random) {
  const kind = random.between(1, 4);
  const items = kind === 4 ? [] : Array.from({ length: random.between(1, 4) }, (_, i) => ({ user: concat(u8(50 * i), random.bytes(15)),
    role: random.between(1, 3), op: kind === 2 ? random.between(1, 3) : 1 }));
  return convEvent.encode({ kind, conversation: random.bytes(16), epoch: kind === 1 ? 1n : 2n + random.u64() / 2n,
    prev: random.bytes(32), actorUser: random.bytes(16), actorDevice: random.bytes(16), ts: random.u64(),
    dirRevision: random.u64(), dirHead: random.bytes(32), items, rosterRoot: random.bytes(32), signature: random.bytes(64) });
}

const randomHead = (random) => directoryHead.encode({ revision: random.u64(), ts: random.u64(), leaves: random.u64(),
  mapRoot: random.bytes(32), logRoot: random.bytes(32), signature: random.bytes(64) });

const siblings = (random) => Array.from({ length: random.pick([0, 1, 5, 17, 128]) }, () => random.bytes(32));

function randomAbsence(random) {
  const n = random.pick([1, 2, 128]);
  const end = random.pick([null, { kind: 1, content: concat(random.bytes(16), zeros(3), u8(n), random.bytes(32 * n)) },
    { kind: 2, content: random.bytes(48) }]);
  return encodeAbsence({ siblings: siblings(random), end });
}

function randomUpload(random) {
  const header = { flags: random.below(2), conversation: random.bytes(16), device: random.bytes(16),
    chain: random.bytes(16), dkCommit: random.bytes(32), wraps: random.between(1, 4) };
  return concat(grantHeader.encode(header), random.bytes(344 + 92 * header.wraps));
}

const randomContent = (random) => content.encode({ kind: random.below(256), resent: random.chance(1, 2), sent: random.u64(),
  epoch: random.u64(), id: random.bytes(16), prevOwn: random.bytes(16), body: random.bytes(random.below(1200)) });

const MAKERS = {
  device_cert: randomCert,
  device_revoke: randomRevoke,
  seal_key: (random) => randomSealKey(random, random.bytes(32), 1780000000000n),
  event: randomEvent,
  grant_header: (random) => randomUpload(random).slice(0, 88),
  chain_body: (random) => chainBody.encode(randomBody(random).body),
  message_header: (random) => messageHeader.encode({ chain: random.bytes(16), index: random.word(), guard: random.bytes(8) }),
  content: randomContent,
  key_request: (random) => randomRequest(random, random.bytes(32)),
  history_offer: (random) => randomOffer(random, random.bytes(32)),
  head: randomHead,
  path: (random) => encodePath({ siblings: siblings(random) }),
  absence: randomAbsence,
  grant_upload: randomUpload,
  sealed_control: (random) => concat(u8(3), u8(1), u8(1), u8(0), random.bytes(20 + 252)),
  wipe_order: (random) => randomWipeOrder(random),
  wipe_receipt: randomWipeReceipt,
};

// the first bytes are where magics, versions, kinds and counts stand
function changed(random, bytes) {
  const some = random.below(bytes.length + 1);
  return random.pick([() => random.flipped(bytes, 0, Math.min(8, bytes.length)), () => random.flipped(bytes),
    () => bytes.slice(0, some), () => concat(bytes, random.bytes(random.between(1, 92))),
    () => concat(bytes.slice(0, some), zeros(1), bytes.slice(some + 1)),
    () => concat(bytes.slice(0, some), u8(255), bytes.slice(some + 1))])();
}

export async function form({ random, peer, nth }) {
  const names = Object.keys(FORMS);
  const kind = names[nth % names.length];
  const ours = FORMS[kind];
  const bytes = MAKERS[kind](random);
  const given = [bytes, ...Array.from({ length: 4 }, () => changed(random, bytes))];
  for (const one of given) {
    const theirs = await peer.ask('record', { kind, bytes: hex(one) });
    const mine = orNull(() => ours(one));
    sameValue(mine && hex(mine), theirs.bytes ?? null, `${kind} ${hex(one)}`);
    agree(mine === null || hex(mine) === hex(one), `${kind}: what is accepted has one encoding`);
  }
}

export async function sealKeyRecord({ random, peer }) {
  const [seed, now] = [random.bytes(32), 1780000000000n + BigInt(random.below(86400000))];
  const good = randomSealKey(random, seed, now);
  for (const bytes of [good, random.flipped(good, 8)]) {
    const key = signingPublic(seed);
    const theirs = await peer.ask('seal_key', { bytes: hex(bytes), key: hex(key), now });
    const parsed = orNull(() => sealKey.parse(bytes));
    sameValue(parsed !== null && sealKey.holds(parsed, key, now), theirs.refused === undefined, 'a seal key record');
  }
}

export async function tokens({ random, peer }) {
  const [seed, device, nonce] = [random.bytes(32), random.bytes(16), random.bytes(16)];
  const now = 1780000000000n + BigInt(random.word());
  const url = random.pick(['mqtts://broker.example:8883', 'https://[::1]:443', 'https://gateway.polizei.example:8443']);
  const theirs = await peer.ask('token_mint', { seed: hex(seed), device: hex(device), url, now, random: hex(nonce) });
  const body = { device, audience: audience(url), issued: now, nonce };
  const text = token.text({ ...body, signature: sign(seed, 'NM1/token', token.body(body)) });
  sameValue(text, theirs.text, 'the token');
  const bent = Buffer.from(random.flipped(new Uint8Array(Buffer.from(text, 'base64url')))).toString('base64url');
  const window = 120000n;
  for (const [given, at] of [[text, now], [text, now + window], [text, now - window], [text, now + window + 1n], [bent, now],
    [`${text}A`, now], [text.slice(0, -1), now], [text.replace(/.$/, '='), now]]) {
    const parsed = orNull(() => token.parse(given));
    const holds = parsed !== null && token.holds(parsed, signingPublic(seed), audience(url), at, window);
    const answer = await peer.ask('token_holds', { text: given, url, key: hex(signingPublic(seed)), now: at, window });
    sameValue(holds, answer.refused === undefined, 'a token');
  }
}

const LENGTHS = [0, 1, 128, 129, 256, 257, 512, 513, 1024, 1025, 1088, 1089, 63487, 63488, 63489, 4294967295];

export async function identifiers({ random, peer, nth }) {
  const [a, key] = [random.bytes(16), random.bytes(32)];
  const b = random.chance(1, 8) ? a : random.bytes(16);
  const number = random.pick([0, 1, 200000000, random.word() >>> 1]);
  const created = random.pick([0n, 999n, 1577836800000n, 1577836800999n, 1577836801000n, 1780000000000n, random.u64() >> 22n]);
  const address = `${'abcdefgh'.slice(0, random.between(1, 8))}@polizei.example`;
  const length = LENGTHS[nth % LENGTHS.length];
  const theirs = await peer.ask('identifiers', { a: hex(a), b: hex(b), key: hex(key), number, created, address, length });
  const device = deviceId(a, key);
  const code = historyCode(device, b, key);
  sameValue({ address: hex(addressHash(address, key)), chain: hex(chainId(device, pairId(a, b), number, key)),
    chain_no: nextChainNo(number, created), device: hex(device), digest: hex(messageDigest(key)),
    history_code: hex(code), history_text: historyCodeText(code), key_actor: hex(keyActor(key)), key_id: hex(keyId(key)),
    org: hex(orgId(address)), padded: padContent(length), padme: Number(padme(created)), pair: hex(pairId(b, a)),
    pair_state: hex(pairState(b, a)) }, theirs, 'identifiers');
}
