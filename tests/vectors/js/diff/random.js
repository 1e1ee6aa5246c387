// Randomness that a seed repeats: xoshiro128** over a hashed seed. For test data alone.
import { sha256 } from '../nm1/primitives.js';
import { utf8 } from '../nm1/bytes.js';

const rotl = (x, k) => (x << k) | (x >>> (32 - k));

export class Random {
  constructor(seed) {
    const bytes = sha256(utf8(String(seed)));
    this.s = new Uint32Array(bytes.slice(0, 16).buffer);
  }

  word() {
    const s = this.s;
    const out = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return out;
  }

  // from 0 to n − 1
  below(n) {
    return Math.floor((this.word() / 2 ** 32) * n);
  }

  between(low, high) {
    return low + this.below(high - low + 1);
  }

  chance(one, of) {
    return this.below(of) < one;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  bytes(n) {
    const words = new Uint32Array(Math.ceil(n / 4)).map(() => this.word());
    return new Uint8Array(words.buffer).slice(0, n);
  }

  u64() {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  shuffled(list) {
    const out = [...list];
    for (let i = out.length - 1; i > 0; --i) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  // a copy with one bit changed
  flipped(bytes, from = 0, until = bytes.length) {
    const out = bytes.slice();
    out[this.between(from, until - 1)] ^= 1 << this.below(8);
    return out;
  }
}
