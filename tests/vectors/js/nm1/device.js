// Section 2.3: device certificates, revocations, connection tokens. parse() judges form alone and throws Malformed.
import { Reader, concat, equal, isZero, refuse, u16, u32, u64, u8, utf8 } from './bytes.js';
import { keyActor, keyId } from './identifiers.js';
import { H, keyedH, verify } from './primitives.js';

const DAY = 86400000n;
const LONGEST = 1096n * DAY;
export const FIRST = 0;
export const VOUCHED = 1;
export const APPROVED = 2;

export const addressHash = (address, secret) => keyedH('NM1/address', secret, utf8(address));

export const deviceCert = {
  body: (c) => concat(utf8('NMdc'), u8(1), u8(1), u8(c.role), u8(c.flags), c.user, c.device, c.identity, u32(c.seq),
    u16(c.platform), u16(c.attestKind), u64(c.notBefore), u64(c.notAfter), c.attestHash),
  encode: (c) => concat(deviceCert.body(c), c.selfSig, c.eaKey, c.eaSig, c.voucher, c.voucherSig),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMdc');
    r.versionAndSuite();
    const out = { role: r.oneOf(1, 2), flags: r.oneOf(FIRST, VOUCHED, APPROVED), user: r.take(16), device: r.take(16),
      identity: r.take(32), seq: r.u32(), platform: r.u16(), attestKind: r.u16(), notBefore: r.u64(),
      notAfter: r.u64(), attestHash: r.take(32), selfSig: r.take(64), eaKey: r.take(8), eaSig: r.take(64),
      voucher: r.take(16), voucherSig: r.take(64) };
    r.done();
    if (out.attestKind !== 1) refuse('an unknown attestation');
    if (out.seq === 0) refuse('records count from 1');
    if (out.notAfter <= out.notBefore || out.notAfter - out.notBefore > LONGEST) refuse('a validity that cannot be');
    if (out.flags === FIRST && !isZero(out.voucherSig)) refuse('a first device has no voucher');
    if ((out.flags === FIRST) !== isZero(out.voucher)) refuse('voucher and flags do not agree');
    return out;
  },
  selfSigned: (c) => verify(c.identity, c.selfSig, 'NM1/devcert-self', deviceCert.body(c)),
  certifiedBy: (c, org, ea) =>
    equal(c.eaKey, keyId(ea)) && verify(ea, c.eaSig, 'NM1/devcert-ea', org, deviceCert.body(c)),
  vouchedBy: (c, identity) => verify(identity, c.voucherSig, 'NM1/devcert-vch', deviceCert.body(c)),
  approvedBy: (c, org, admin) =>
    equal(c.voucher, keyActor(admin)) && verify(admin, c.voucherSig, 'NM1/devcert-vch', org, deviceCert.body(c)),
};

export const deviceRevoke = {
  body: (v) => concat(utf8('NMdr'), u8(1), u8(1), u8(v.reason), u8(0), v.user, v.device, v.actor, u64(v.effective),
    u32(v.seq)),
  encode: (v) => concat(deviceRevoke.body(v), v.signature),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMdr');
    r.versionAndSuite();
    const reason = r.oneOf(1, 2, 3, 4);
    r.zeros(1);
    const out = { reason, user: r.take(16), device: r.take(16), actor: r.take(16), effective: r.u64(), seq: r.u32(),
      signature: r.take(64) };
    r.done();
    if (out.seq === 0) refuse('records count from 1');
    return out;
  },
  byDevice: (v, identity) => verify(identity, v.signature, 'NM1/devrevoke', deviceRevoke.body(v)),
  byAdmin: (v, org, admin) =>
    equal(v.actor, keyActor(admin)) && verify(admin, v.signature, 'NM1/devrevoke', org, deviceRevoke.body(v)),
};

export const audience = (url) => H('NM1/audience', utf8(url)).slice(0, 8);

export const token = {
  body: (t) => concat(utf8('NMtk'), u8(1), u8(1), u8(0), u8(0), t.device, t.audience, u64(t.issued), t.nonce),
  text: (t) => Buffer.from(concat(token.body(t), t.signature)).toString('base64url'),
  parse(text) {
    if (!/^[A-Za-z0-9_-]{160}$/.test(text)) refuse('a token is 160 characters of base64url');
    const r = new Reader(new Uint8Array(Buffer.from(text, 'base64url')));
    r.magic('NMtk');
    r.versionAndSuite();
    r.zeros(2);
    const out = { device: r.take(16), audience: r.take(8), issued: r.u64(), nonce: r.take(16), signature: r.take(64) };
    r.done();
    return out;
  },
  holds(t, identity, here, now, window) {
    const apart = t.issued > now ? t.issued - now : now - t.issued;
    return equal(t.audience, here) && apart <= window && verify(identity, t.signature, 'NM1/token', token.body(t));
  },
};
