// Section 2.1, the conventions: big-endian records of fixed width, labels, hex. Integers of 64 bits are BigInt.
//
// A Reader throws Malformed at the first byte that does not fit; done() refuses what is left over.

export class Malformed extends Error {}

export function refuse(why) {
  throw new Malformed(why);
}

export function hex(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export function unhex(text) {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) refuse('not lower-case hex');
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function utf8(text) {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

// memcmp, for order and equality of equally long strings
export function compare(a, b) {
  return Buffer.compare(a, b);
}

export function equal(a, b) {
  return a.length === b.length && compare(a, b) === 0;
}

export function isZero(bytes) {
  return bytes.every((byte) => byte === 0);
}

export function zeros(n) {
  return new Uint8Array(n);
}

// L(x)
export function label(text) {
  const out = new Uint8Array(16);
  const bytes = utf8(text);
  if (bytes.length > 16) throw new Error('a label has at most 16 bytes');
  out.set(bytes);
  return out;
}

function integer(value, width) {
  let rest = BigInt(value);
  if (rest < 0n || rest >> BigInt(8 * width) !== 0n) throw new Error('an integer does not fit its field');
  const out = new Uint8Array(width);
  for (let i = width - 1; i >= 0; --i) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return out;
}

export const u8 = (value) => integer(value, 1);
export const u16 = (value) => integer(value, 2);
export const u32 = (value) => integer(value, 4);
export const u64 = (value) => integer(value, 8);

export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get left() {
    return this.bytes.length - this.at;
  }

  take(n) {
    if (n > this.left) refuse('too short');
    const out = this.bytes.slice(this.at, this.at + n);
    this.at += n;
    return out;
  }

  number(width) {
    let out = 0n;
    for (const byte of this.take(width)) out = (out << 8n) | BigInt(byte);
    return out;
  }

  u8() {
    return this.take(1)[0];
  }

  u16() {
    return Number(this.number(2));
  }

  u32() {
    return Number(this.number(4));
  }

  u64() {
    return this.number(8);
  }

  // one of the values allowed here
  oneOf(...allowed) {
    const value = this.u8();
    if (!allowed.includes(value)) refuse('an unknown value');
    return value;
  }

  magic(text) {
    if (!equal(this.take(text.length), utf8(text))) refuse('another magic');
  }

  // ver and suite
  versionAndSuite() {
    this.oneOf(1);
    this.oneOf(1);
  }

  zeros(n) {
    if (!isZero(this.take(n))) refuse('reserved bytes that are not zero');
  }

  done() {
    if (this.left !== 0) refuse('trailing bytes');
  }
}
