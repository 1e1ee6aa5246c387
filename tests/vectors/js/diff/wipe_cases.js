// Wipe orders and receipts: both obey and refuse the same ones.
import { concat, hex } from '../nm1/bytes.js';
import { keyId } from '../nm1/identifiers.js';
import { sign, signingPublic } from '../nm1/primitives.js';
import { wipeOrder, wipeReceipt } from '../nm1/wipe.js';
import { orNull, sameValue } from './agree.js';

const DAY = 86400000n;
const SLACK = 600000n;

export function randomWipeOrder(random, issued = random.u64() >> 20n) {
  return wipeOrder.encode({ user: random.bytes(16), device: random.bytes(16), id: random.bytes(16), issued,
    expires: issued + random.pick([1n, DAY, 30n * DAY, 30n * DAY + 1n, 0n]), admin: random.bytes(8),
    adminSig: random.bytes(64), gatewaySig: random.bytes(64) });
}

export const randomWipeReceipt = (random) => wipeReceipt.encode({ result: random.between(1, 2), user: random.bytes(16),
  device: random.bytes(16), order: random.bytes(16), done: random.u64(), signature: random.bytes(64) });

export async function wipe({ random, peer }) {
  const [admin, directory, identity] = [random.bytes(32), random.bytes(32), random.bytes(32)];
  const keys = { org: random.bytes(16), ea: signingPublic(random.bytes(32)), directory: signingPublic(directory),
    administrators: [signingPublic(random.bytes(32)), signingPublic(admin)] };
  const issued = 1780000000000n + BigInt(random.word());
  const order = { user: random.bytes(16), device: random.bytes(16), id: random.bytes(16), issued, expires: issued + 30n * DAY };
  const by = random.chance(1, 6) ? directory : admin;
  order.admin = keyId(signingPublic(by));
  order.adminSig = sign(by, 'NM1/wipe-adm', concat(keys.org, wipeOrder.body(order)));
  order.gatewaySig = sign(random.chance(1, 6) ? admin : directory, 'NM1/wipe-gw', concat(keys.org, wipeOrder.approved(order)));
  const good = wipeOrder.encode(order);
  for (const [bytes, now] of [[good, issued], [good, issued - SLACK], [good, issued - SLACK - 1n], [good, order.expires - 1n],
    [good, order.expires], [random.flipped(good, 8), issued]]) {
    const device = random.chance(1, 8) ? random.bytes(16) : order.device;
    const theirs = await peer.ask('wipe_order', { bytes: hex(bytes), user: hex(order.user), device: hex(device), now,
      keys: { org: hex(keys.org), ea: hex(keys.ea), directory: hex(keys.directory), administrators: keys.administrators.map(hex) } });
    const parsed = orNull(() => wipeOrder.parse(bytes));
    sameValue(parsed !== null && wipeOrder.obeyed(parsed, order.user, device, keys, now), theirs.refused === undefined, 'a wipe order');
  }
  const receipt = wipeReceipt.parse(randomWipeReceipt(random));
  receipt.signature = sign(identity, 'NM1/wipe-rcpt', wipeReceipt.body(receipt));
  for (const bytes of [wipeReceipt.encode(receipt), random.flipped(wipeReceipt.encode(receipt), 8)]) {
    const theirs = await peer.ask('wipe_receipt', { bytes: hex(bytes), key: hex(signingPublic(identity)) });
    const parsed = orNull(() => wipeReceipt.parse(bytes));
    sameValue(parsed !== null && wipeReceipt.signedBy(parsed, signingPublic(identity)), theirs.holds ?? false, 'a wipe receipt');
  }
}
