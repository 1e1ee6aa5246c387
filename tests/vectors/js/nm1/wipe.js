// Section 2.13: the order to wipe a device, and the device's receipt.
import { Reader, concat, equal, refuse, u64, u8, utf8 } from './bytes.js';
import { keyId } from './identifiers.js';
import { verify } from './primitives.js';

const LONGEST = 30n * 86400000n;
const SLACK = 600000n;

export const wipeOrder = {
  body: (o) => concat(utf8('NMwo'), u8(1), u8(1), u8(1), u8(0), o.user, o.device, o.id, u64(o.issued), u64(o.expires),
    o.admin),
  approved: (o) => concat(wipeOrder.body(o), o.adminSig),
  encode: (o) => concat(wipeOrder.approved(o), o.gatewaySig),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMwo');
    r.versionAndSuite();
    r.oneOf(1);
    r.zeros(1);
    const out = { user: r.take(16), device: r.take(16), id: r.take(16), issued: r.u64(), expires: r.u64(),
      admin: r.take(8), adminSig: r.take(64), gatewaySig: r.take(64) };
    r.done();
    if (out.expires <= out.issued || out.expires - out.issued > LONGEST) refuse('a time that cannot be');
    return out;
  },
  obeyed(o, user, device, keys, now) {
    const admin = keys.administrators.find((key) => equal(keyId(key), o.admin));
    return equal(o.user, user) && equal(o.device, device) && admin !== undefined && o.issued - SLACK <= now && now < o.expires
      && verify(admin, o.adminSig, 'NM1/wipe-adm', keys.org, wipeOrder.body(o))
      && verify(keys.directory, o.gatewaySig, 'NM1/wipe-gw', keys.org, wipeOrder.approved(o));
  },
};

export const wipeReceipt = {
  body: (v) => concat(utf8('NMwr'), u8(1), u8(1), u8(v.result), u8(0), v.user, v.device, v.order, u64(v.done)),
  encode: (v) => concat(wipeReceipt.body(v), v.signature),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMwr');
    r.versionAndSuite();
    const result = r.oneOf(1, 2);
    r.zeros(1);
    const out = { result, user: r.take(16), device: r.take(16), order: r.take(16), done: r.u64(), signature: r.take(64) };
    r.done();
    return out;
  },
  signedBy: (v, identity) => verify(identity, v.signature, 'NM1/wipe-rcpt', wipeReceipt.body(v)),
};
