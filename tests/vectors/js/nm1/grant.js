// Section 2.6: chain grants. sealGrant makes uploads; openGrant holds the rules R1 to R3, fastForward the ratchet of R7.
//
// Form errors throw Malformed; openGrant answers {rule} with the rule that refused, or what was opened.
import { Malformed, Reader, concat, equal, label, refuse, u32, u64, u8, utf8, zeros } from './bytes.js';
import { chainId } from './identifiers.js';
import { H, aeadOpen, aeadSeal, boxOpen, boxSeal, kdf, sign, verify } from './primitives.js';
import { nextKeys } from './chain.js';

export const MAX_WRAPS = 700;
const BOUND = 84;
const CONTEXT = 'NM1grant';
const NONCE = zeros(24); // of a key that seals once

export const grantHeader = {
  parse(bytes) {
    const r = new Reader(bytes);
    r.oneOf(1);
    r.versionAndSuite();
    const out = { flags: r.oneOf(0, 1), conversation: r.take(16), device: r.take(16), chain: r.take(16),
      dkCommit: r.take(32), wraps: r.u32() };
    r.done();
    return out;
  },
  encode: (h) => concat(u8(1), u8(1), u8(1), u8(h.flags), h.conversation, h.device, h.chain, h.dkCommit, u32(h.wraps)),
};

export const chainBody = {
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMcb');
    r.versionAndSuite();
    const flags = r.oneOf(0, 1);
    r.zeros(1);
    const out = { flags, conversation: r.take(16), epoch: r.u64(), state: r.take(32), user: r.take(16),
      device: r.take(16), chainNo: r.u32(), firstIndex: r.u32(), created: r.u64(), expires: r.u64(), maxIndex: r.u32(),
      dirRevision: r.u64(), dirHead: r.take(32), chainKey: r.take(32), chainPublic: r.take(32),
      prevDigest: r.take(32), prevCount: r.u32() };
    r.done();
    return out;
  },
  encode: (b) => concat(utf8('NMcb'), u8(1), u8(1), u8(b.flags), u8(0), b.conversation, u64(b.epoch), b.state, b.user,
    b.device, u32(b.chainNo), u32(b.firstIndex), u64(b.created), u64(b.expires), u32(b.maxIndex), u64(b.dirRevision),
    b.dirHead, b.chainKey, b.chainPublic, b.prevDigest, u32(b.prevCount)),
};

// ⌊created_ms / 1000⌋ − 1,577,836,800, but never below last + 1
export function nextChainNo(last, created) {
  const since2020 = Number(created / 1000n) - 1577836800;
  return Math.max(last + 1, since2020);
}

const grantAad = (bound) => concat(label('NM1/grant-aad'), bound);
const bodyHash = (body) => H('NM1/grant-body', body);

// The shared part without n_wraps and wraps: what every device gets alike.
export function sealShared(body, identitySeed, dk) {
  const header = { flags: body.flags, conversation: body.conversation, device: body.device,
    chain: chainId(body.device, body.conversation, body.chainNo, body.chainPublic), dkCommit: kdf(32, 2, CONTEXT, dk),
    wraps: 0 };
  const bound = grantHeader.encode(header).slice(0, BOUND);
  const plain = chainBody.encode(body);
  const signature = sign(identitySeed, 'NM1/grant-sig', bound, bodyHash(plain));
  const sealed = aeadSeal(kdf(32, 1, CONTEXT, dk), NONCE, concat(plain, signature), grantAad(bound));
  return { bound, sealed };
}

// recipients: {devNo, keyId, key}; ephemeral(i): a fresh secret for the box of recipient i
export function sealGrant(body, identitySeed, dk, recipients, ephemeral) {
  const { bound, sealed } = sealShared(body, identitySeed, dk);
  const wraps = recipients.map((to, i) =>
    concat(u32(to.devNo), u32(to.keyId), boxSeal(concat(utf8('NMw1'), dk), to.key, ephemeral(i))));
  const uploads = [];
  for (let at = 0; at < wraps.length; at += MAX_WRAPS) {
    const some = wraps.slice(at, at + MAX_WRAPS);
    uploads.push(concat(bound, u32(some.length), sealed, ...some));
  }
  return uploads;
}

export function parseUpload(bytes) {
  const r = new Reader(bytes);
  const header = grantHeader.parse(r.take(88));
  if (header.wraps < 1 || header.wraps > MAX_WRAPS) refuse('1 to 700 wraps in one upload');
  const sealed = r.take(344);
  const wraps = [];
  for (let i = 0; i < header.wraps; ++i) wraps.push({ devNo: r.u32(), keyId: r.u32(), box: r.take(84) });
  r.done();
  return { header, sealed, wraps };
}

// What the gateway hands to the device of one wrap: 524 bytes.
export function delivered(upload, i) {
  const at = 432 + 92 * i;
  return concat(upload.slice(0, BOUND), u32(1), upload.slice(88, 432), upload.slice(at, at + 92));
}

export function openGrant(wire, secretOf) {
  let upload;
  try {
    upload = parseUpload(wire);
  } catch (error) {
    if (error instanceof Malformed) return { rule: 'R1' };
    throw error;
  }
  if (upload.wraps.length !== 1) return { rule: 'R1' };
  const secret = secretOf(upload.wraps[0].keyId);
  const plain = secret && boxOpen(upload.wraps[0].box, secret);
  if (!plain || plain.length !== 36 || !equal(plain.slice(0, 4), utf8('NMw1'))) return { rule: 'R1' };
  const dk = plain.slice(4);
  if (!equal(kdf(32, 2, CONTEXT, dk), upload.header.dkCommit)) return { rule: 'R2' };
  const bound = wire.slice(0, BOUND);
  const opened = aeadOpen(kdf(32, 1, CONTEXT, dk), NONCE, upload.sealed, grantAad(bound));
  if (opened === null) return { rule: 'R3' };
  return bodyFits(upload.header, opened, bound);
}

function bodyFits(header, opened, bound) {
  const bytes = opened.slice(0, 264);
  let body;
  try {
    body = chainBody.parse(bytes);
  } catch (error) {
    if (error instanceof Malformed) return { rule: 'R3' };
    throw error;
  }
  const same = equal(body.conversation, header.conversation) && equal(body.device, header.device)
    && body.flags === header.flags
    && equal(chainId(body.device, body.conversation, body.chainNo, body.chainPublic), header.chain);
  if (!same) return { rule: 'R3' };
  return { header, body, bytes, signature: opened.slice(264), bound };
}

// The signature of R4, by the identity key that the directory names.
export function grantSignedBy(grant, identity) {
  return verify(identity, grant.signature, 'NM1/grant-sig', grant.bound, bodyHash(grant.bytes));
}

// R7 for a chain that is held: is the grant the same chain further on?
export function fastForward(held, body) {
  if (body.firstIndex < held.index) return false;
  let key = held.chainKey;
  for (let i = held.index; i < body.firstIndex; ++i) key = nextKeys(key).next;
  return equal(key, body.chainKey) && body.created === held.created && body.expires === held.expires
    && body.maxIndex === held.maxIndex;
}
