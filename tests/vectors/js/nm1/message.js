// Section 2.7, the message: content with its padding, sealing, opening.
//
// openMessage answers null for what is dropped, else {chain, content, digest}; content is null for what is authentic
// but malformed: its index is used up all the same.
import { Malformed, Reader, concat, equal, isZero, label, refuse, u16, u32, u64, u8, zeros } from './bytes.js';
import { nextKeys } from './chain.js';
import { H, aeadOpen, aeadSeal, sign, verify } from './primitives.js';

export const MAX_CONTENT = 63488;
const FIXED = 56;
const OVERHEAD = 112;

// E = ⌊log2 L⌋, S = ⌊log2 E⌋ + 1, L rounded up to a multiple of 2^(E−S)
export function padme(length) {
  const l = BigInt(length);
  if (l < 2n) return l;
  const e = l.toString(2).length - 1;
  const s = e.toString(2).length;
  const step = 1n << BigInt(e - s);
  return ((l + step - 1n) / step) * step;
}

export function padContent(length) {
  return [128, 256, 512, 1024].find((size) => length <= size) ?? Number(padme(length));
}

export const content = {
  // {kind, resent, sent, epoch, id, prevOwn, body}
  encode(c) {
    const length = FIXED + c.body.length;
    const padded = padContent(length);
    if (padded > MAX_CONTENT) refuse('a content has at most 63,488 bytes');
    return concat(u8(1), u8(c.kind), u16(c.resent ? 1 : 0), u64(c.sent), u64(c.epoch), c.id, c.prevOwn,
      u32(c.body.length), c.body, zeros(padded - length));
  },
  parse(bytes) {
    if (bytes.length > MAX_CONTENT) refuse('a content has at most 63,488 bytes');
    const r = new Reader(bytes);
    r.oneOf(1);
    const kind = r.u8();
    const flags = r.u16();
    if (flags > 1) refuse('an unknown flag');
    const out = { kind, resent: flags === 1, sent: r.u64(), epoch: r.u64(), id: r.take(16), prevOwn: r.take(16) };
    out.body = r.take(r.u32());
    if (bytes.length !== padContent(FIXED + out.body.length)) refuse('another padding');
    if (!isZero(r.take(r.left))) refuse('padding that is not zero');
    return out;
  },
};

export const messageHeader = {
  encode: (h) => concat(u8(2), u8(1), u8(1), u8(0), h.chain, u32(h.index), h.guard),
  parse(bytes) {
    const r = new Reader(bytes);
    r.oneOf(2);
    r.versionAndSuite();
    r.zeros(1);
    const out = { chain: r.take(16), index: r.u32(), guard: r.take(8) };
    r.done();
    return out;
  },
};

function guarded(nonce, guard) {
  const out = nonce.slice();
  for (let i = 0; i < 8; ++i) out[16 + i] ^= guard[i];
  return out;
}

export const messageDigest = (wire) => H('NM1/msgdig', wire);

// from: {conversation, user, device, chain, seed}; at: {chainKey, index}
export function sealMessage(from, at, padded, guard) {
  const header = messageHeader.encode({ chain: from.chain, index: at.index, guard });
  const keys = nextKeys(at.chainKey);
  const who = concat(from.conversation, from.user, from.device, header);
  const ct = aeadSeal(keys.key, guarded(keys.nonce, guard), padded, concat(label('NM1/msg-aad'), who));
  const signature = sign(from.seed, 'NM1/msg-sig', who, keys.commitment, H('NM1/msg-ct', ct));
  return { wire: concat(header, ct, signature), chainKey: keys.next, index: at.index + 1 };
}

function parts(wire) {
  if (wire.length < OVERHEAD + 128 || wire.length > OVERHEAD + MAX_CONTENT) return null;
  const bytes = wire.slice(0, 32);
  try {
    return { bytes, header: messageHeader.parse(bytes), ct: wire.slice(32, -64), signature: wire.slice(-64) };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

export function openMessage(chain, wire) {
  const message = parts(wire);
  if (message === null || !equal(message.header.chain, chain.id)) return null;
  const used = chain.using(message.header.index);
  if (used === null) return null;
  const { keys, after } = used;
  const who = concat(chain.conversation, chain.user, chain.device, message.bytes);
  if (!verify(chain.chainPublic, message.signature, 'NM1/msg-sig', who, keys.commitment, H('NM1/msg-ct', message.ct)))
    return null;
  const nonce = guarded(keys.nonce, message.header.guard);
  const plain = aeadOpen(keys.key, nonce, message.ct, concat(label('NM1/msg-aad'), who));
  if (plain === null) return null;
  return { chain: after, content: contentOrNull(plain, chain.resend), digest: messageDigest(wire) };
}

function contentOrNull(plain, resend) {
  try {
    const out = content.parse(plain);
    return out.resent === resend ? out : null;
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}
