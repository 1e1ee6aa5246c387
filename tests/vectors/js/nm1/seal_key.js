// Section 2.4: seal key records.
import { Reader, concat, u32, u64, u8, utf8 } from './bytes.js';
import { verify } from './primitives.js';

const DAY = 86400000n;
const DAY_KEY = 1;

export const sealKey = {
  body: (k) => concat(utf8('NMsk'), u8(1), u8(1), u8(k.kind), u8(0), k.device, u32(k.batchNo), u32(k.keyId),
    u64(k.notBefore), u64(k.notAfter), k.key),
  encode: (k) => concat(sealKey.body(k), k.signature),
  parse(bytes) {
    const r = new Reader(bytes);
    r.magic('NMsk');
    r.versionAndSuite();
    const kind = r.oneOf(DAY_KEY, 2);
    r.zeros(1);
    const out = { kind, device: r.take(16), batchNo: r.u32(), keyId: r.u32(), notBefore: r.u64(), notAfter: r.u64(),
      key: r.take(32), signature: r.take(64) };
    r.done();
    return out;
  },
  // signature, dates, batch of at most tomorrow
  holds(k, identity, now) {
    if (k.notAfter <= k.notBefore) return false;
    if (k.kind === DAY_KEY && (k.notBefore % DAY !== 0n || k.notAfter - k.notBefore !== DAY)) return false;
    if (BigInt(k.batchNo) > now / DAY + 1n) return false;
    return verify(identity, k.signature, 'NM1/sealkey', sealKey.body(k));
  },
};
