// Section 2.9: key requests and history offers, and the sealed control record that carries them.
import { Reader, concat, refuse, u32, u64, u8, utf8 } from './bytes.js';
import { H, boxOpen, boxSeal, verify } from './primitives.js';

export const KEY_REQUEST = 3;
export const HISTORY_OFFER = 4;
const LENGTHS = { [KEY_REQUEST]: 204, [HISTORY_OFFER]: 272 };
const BOX = 48;
const HOUR = 3600000n;

export const sealedControl = {
  seal: (type, receiver, keyId, key, record, ephemeral) =>
    concat(u8(type), u8(1), u8(1), u8(0), receiver, u32(keyId), boxSeal(record, key, ephemeral)),
  parse(bytes) {
    const r = new Reader(bytes);
    const type = r.oneOf(KEY_REQUEST, HISTORY_OFFER);
    r.versionAndSuite();
    r.zeros(1);
    const out = { type, receiver: r.take(16), keyId: r.u32(), box: r.take(LENGTHS[type] + BOX) };
    r.done();
    return out;
  },
  // null: it was not sealed to this key
  open: (control, secret) => boxOpen(control.box, secret),
};

export const keyRequest = {
  body: (k) => concat(utf8('NMkr'), u8(1), u8(1), u8(k.kind), u8(0), k.owner, k.requester, k.conversation, k.chain,
    u32(k.haveIndex), k.nonce, u64(k.ts), u64(k.dirRevision), k.dirHead),
  encode: (k) => concat(keyRequest.body(k), k.signature),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMkr');
    r.versionAndSuite();
    const kind = r.oneOf(1, 2);
    r.zeros(1);
    const out = { kind, owner: r.take(16), requester: r.take(16), conversation: r.take(16), chain: r.take(16),
      haveIndex: r.u32(), nonce: r.take(16), ts: r.u64(), dirRevision: r.u64(), dirHead: r.take(32),
      signature: r.take(64) };
    r.done();
    return out;
  },
  signedBy: (k, identity) => verify(identity, k.signature, 'NM1/keyreq', keyRequest.body(k)),
};

export const historyOffer = {
  body: (o) => concat(utf8('NMho'), u8(1), u8(1), u8(1), u8(0), o.user, o.oldDevice, o.newDevice, o.newCert, o.blob,
    o.key, u64(o.plainLength), u64(o.paddedLength), o.digest, u64(o.from), u64(o.issued), u64(o.expires)),
  encode: (o) => concat(historyOffer.body(o), o.signature),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMho');
    r.versionAndSuite();
    r.oneOf(1);
    r.zeros(1);
    const out = { user: r.take(16), oldDevice: r.take(16), newDevice: r.take(16), newCert: r.take(32),
      blob: r.take(16), key: r.take(32), plainLength: r.u64(), paddedLength: r.u64(), digest: r.take(32),
      from: r.u64(), issued: r.u64(), expires: r.u64(), signature: r.take(64) };
    r.done();
    if (out.expires < out.issued || out.expires > out.issued + HOUR) refuse('an offer lives an hour at most');
    return out;
  },
  signedBy: (o, identity) => verify(identity, o.signature, 'NM1/histoffer', historyOffer.body(o)),
};

export const historyCode = (oldDevice, newDevice, newCert) => H('NM1/histcode', oldDevice, newDevice, newCert);

// the first 60 bits, as 12 characters of lower-case base32
export function historyCodeText(code) {
  const bits = [...code.slice(0, 8)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  return Array.from({ length: 12 }, (_, i) => letters[parseInt(bits.slice(5 * i, 5 * i + 5), 2)]).join('');
}
