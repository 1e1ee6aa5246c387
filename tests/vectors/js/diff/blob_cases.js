// Blobs and sealed control records: sealed here and opened there, and back.
import { concat, hex, unhex, zeros } from '../nm1/bytes.js';
import { HISTORY_OFFER, KEY_REQUEST, historyOffer, keyRequest, sealedControl } from '../nm1/control.js';
import { openBlob, sealBlob } from '../nm1/media.js';
import { padme } from '../nm1/message.js';
import { boxOpen, boxSeal, sealPublic, sign, signingPublic } from '../nm1/primitives.js';
import { agree, orNull, sameBytes, sameValue } from './agree.js';

const SIZES = [0, 1, 2, 9, 100, 4096, 0, 1];
const LONG_SIZES = [65535, 65536, 65537, 131072, 131073]; // every ninth, for they take their time
const HOUR = 3600000n;

export async function blob({ random, peer, nth }) {
  const length = nth % 9 === 8 ? LONG_SIZES[((nth - 8) / 9) % LONG_SIZES.length] : SIZES[nth % SIZES.length];
  const [key, plain] = [random.bytes(32), random.bytes(length)];
  const place = { blob: random.bytes(16), conversation: random.chance(1, 4) ? zeros(16) : random.bytes(16) };
  const names = { blob: hex(place.blob), conversation: hex(place.conversation), key: hex(key) };
  const ours = sealBlob(place, key, plain);
  const theirs = await peer.ask('blob_seal', { ...names, plain: hex(plain) });
  sameBytes(ours.sealed, theirs.sealed, 'the sealed blob');
  sameBytes(ours.digest, theirs.digest, 'its digest');
  sameValue(String(ours.shape.padded), String(theirs.padded), 'its padded length');

  const open = async (given) => {
    const mine = openBlob({ ...place, padded: padme(given.length), ...given.place }, key, given.length, given.digest, given.sealed);
    const his = await peer.ask('blob_open', { ...names, blob: hex(given.place?.blob ?? place.blob),
      plain_length: given.length, sealed: hex(given.sealed), digest: hex(given.digest) });
    sameValue(mine && hex(mine), his.plain ?? null, 'opening a blob');
    return mine;
  };
  const whole = { sealed: unhex(theirs.sealed), digest: ours.digest, length };
  sameBytes(await open(whole), plain, 'the blob');
  const swapped = concat(whole.sealed.slice(65552, 131104), whole.sealed.slice(0, 65552), whole.sealed.slice(131104));
  const bad = random.pick([{ sealed: random.flipped(whole.sealed) }, { digest: random.flipped(ours.digest) },
    { sealed: whole.sealed.slice(0, -1) }, { place: { blob: random.flipped(place.blob) } },
    { sealed: whole.sealed.slice(0, -16 - Number(ours.shape.padded % 65536n)) },
    { sealed: length > 131072 ? swapped : random.flipped(whole.sealed) }, { length: length + 70000 }]);
  agree((await open({ ...whole, ...bad })) === null, 'a changed blob is refused');
}

export function randomRequest(random, seed) {
  const body = { kind: random.pick([1, 2]), owner: random.bytes(16), requester: random.bytes(16),
    conversation: random.bytes(16), chain: random.bytes(16), haveIndex: random.word(), nonce: random.bytes(16),
    ts: random.u64(), dirRevision: random.u64(), dirHead: random.bytes(32) };
  return keyRequest.encode({ ...body, signature: sign(seed, 'NM1/keyreq', keyRequest.body(body)) });
}

export function randomOffer(random, seed) {
  const issued = random.u64() >> 1n;
  const life = random.pick([0n, 1n, HOUR, HOUR + 1n, -1n, BigInt(random.below(3600000))]);
  const body = { user: random.bytes(16), oldDevice: random.bytes(16), newDevice: random.bytes(16),
    newCert: random.bytes(32), blob: random.bytes(16), key: random.bytes(32), plainLength: random.u64(),
    paddedLength: random.u64(), digest: random.bytes(32), from: random.u64(), issued, expires: issued + life };
  return historyOffer.encode({ ...body, signature: sign(seed, 'NM1/histoffer', historyOffer.body(body)) });
}

async function bothOpen(peer, wire, secret, what) {
  const control = orNull(() => sealedControl.parse(wire));
  const record = control && sealedControl.open(control, secret);
  const theirs = await peer.ask('control_open', { wire: hex(wire), secret: hex(secret) });
  sameValue(record && { type: control.type, receiver: hex(control.receiver), key_id: control.keyId, record: hex(record) },
    theirs.record ? { type: theirs.type, receiver: theirs.receiver, key_id: theirs.key_id, record: theirs.record } : null, what);
  return record;
}

export async function control({ random, peer }) {
  const [secret, receiver, seed] = [random.bytes(32), random.bytes(16), random.bytes(32)];
  const type = random.pick([KEY_REQUEST, HISTORY_OFFER]);
  const record = type === KEY_REQUEST ? randomRequest(random, seed) : randomOffer(random, seed);
  const keyId = random.word();
  const { wire } = await peer.ask('control_seal', { type, receiver: hex(receiver), key_id: keyId,
    key: hex(sealPublic(secret)), record: hex(record) });
  sameBytes(await bothOpen(peer, unhex(wire), secret, 'their control record'), record, 'the record');
  const ours = sealedControl.seal(type, receiver, keyId, sealPublic(secret), record, random.bytes(32));
  sameBytes(await bothOpen(peer, ours, secret, 'our control record'), record, 'the record');
  const bad = random.pick([random.flipped(ours, 0, 4), random.flipped(ours, 24), ours.slice(0, -1),
    concat(ours, zeros(1)), concat(new Uint8Array([type ^ 7]), ours.slice(1))]);
  agree((await bothOpen(peer, bad, secret, 'a changed control record')) === null, 'a changed record is refused');
  const check = type === KEY_REQUEST ? 'key_request' : 'history_offer';
  const codec = type === KEY_REQUEST ? keyRequest : historyOffer;
  const parsed = orNull(() => codec.parse(record));
  const form = await peer.ask('record', { kind: check, bytes: hex(record) });
  sameValue(parsed !== null, form.refused === undefined, 'the form of the record');
  if (parsed === null) return;
  for (const key of [signingPublic(seed), signingPublic(random.bytes(32))]) {
    const { holds } = await peer.ask('signature', { check, bytes: hex(record), key: hex(key), org: hex(zeros(16)) });
    sameValue(codec.signedBy(parsed, key), holds, 'its signature');
  }
}

// Points that lead X25519 to zero, as the ephemeral key of a box whose key an attacker then knows: both refuse.
const LOW_ORDER = ['00'.repeat(32), `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(31)}`];

export async function lowOrderBox({ random, peer, nth }) {
  const secret = random.bytes(32);
  const good = sealedControl.seal(KEY_REQUEST, random.bytes(16), 7, sealPublic(secret), random.bytes(204), random.bytes(32));
  const box = concat(unhex(LOW_ORDER[nth % LOW_ORDER.length]), good.slice(24 + 32));
  const opened = await bothOpen(peer, concat(good.slice(0, 24), box), secret, 'a box under a low-order key');
  agree(opened === null && boxOpen(box, secret) === null, 'it is refused');
  agree(orNull(() => boxOpen(boxSeal(random.bytes(36), sealPublic(secret), random.bytes(32)), secret)) !== null, 'a good one opens');
}
