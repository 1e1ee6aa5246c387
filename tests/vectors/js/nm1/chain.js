// Section 2.7, the chain: keys of an index, and a receiver's position with the keys it passed over.
import { kdf } from './primitives.js';

const CONTEXT = 'NM1chain';

export function nextKeys(chainKey) {
  const mk = kdf(64, 1, CONTEXT, chainKey);
  return { mk, key: mk.slice(0, 32), nonce: mk.slice(32, 56), commitment: kdf(32, 2, CONTEXT, chainKey),
    next: kdf(32, 3, CONTEXT, chainKey) };
}

// What a receiver holds of one chain. Immutable: using() answers the keys and the chain as it is afterwards.
export class ReceivingChain {
  constructor({ conversation, user, device, id, chainPublic, chainKey, index, maxIndex, created, expires, resend,
    skipped = new Map() }) {
    Object.assign(this, { conversation, user, device, id, chainPublic, chainKey, index, maxIndex, created, expires, resend,
      skipped });
  }

  static ofGrant({ header, body }) {
    return new ReceivingChain({ ...body, id: header.chain, index: body.firstIndex, resend: body.flags === 1 });
  }

  // null: the index was used, or is beyond the chain
  using(index) {
    const skipped = new Map(this.skipped);
    if (skipped.has(index)) {
      const keys = skipped.get(index);
      skipped.delete(index);
      return { keys, after: new ReceivingChain({ ...this, skipped }) };
    }
    if (index < this.index || index > this.maxIndex) return null;
    let chainKey = this.chainKey;
    for (let i = this.index; i < index; ++i) {
      const keys = nextKeys(chainKey);
      skipped.set(i, keys);
      chainKey = keys.next;
    }
    const keys = nextKeys(chainKey);
    return { keys, after: new ReceivingChain({ ...this, skipped, chainKey: keys.next, index: index + 1 }) };
  }
}
