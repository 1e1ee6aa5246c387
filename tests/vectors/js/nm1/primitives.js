// Section 2.1, the primitives, on @noble: nothing in common with libsodium.
//
// Opening answers null when the tag, the box or the signature does not hold. Not constant time: for tests alone.
import { ed25519, x25519 } from '@noble/curves/ed25519';
import { xchacha20poly1305 } from '@noble/ciphers/chacha';
import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa';
import { blake2b } from '@noble/hashes/blake2';
import { sha256 as sha256Of, sha512 } from '@noble/hashes/sha2';
import { concat, equal, hex, label, utf8, zeros } from './bytes.js';

const Point = ed25519.Point;
const ORDER = Point.Fn.ORDER;

export const sha256 = (...parts) => sha256Of(concat(...parts));
export const blake2b256 = (...parts) => blake2b(concat(...parts), { dkLen: 32 });

// H(label, data)
export function H(text, ...parts) {
  return blake2b(concat(...parts), { dkLen: 32, salt: zeros(16), personalization: label(text) });
}

// H(label, data, key)
export function keyedH(text, key, ...parts) {
  return blake2b(concat(...parts), { dkLen: 32, key, salt: zeros(16), personalization: label(text) });
}

// kdf(len, id, ctx, key)
export function kdf(length, id, context, key) {
  const salt = zeros(16);
  salt[0] = id; // LE64(id), and no id here is above 255
  return blake2b(zeros(0), { dkLen: length, key, salt, personalization: concat(utf8(context), zeros(8)) });
}

export const signingPublic = (seed) => ed25519.getPublicKey(seed);
export const sign = (seed, text, ...parts) => ed25519.sign(concat(label(text), ...parts), seed);

function littleEndian(bytes) {
  let out = 0n;
  for (let i = bytes.length - 1; i >= 0; --i) out = (out << 8n) | BigInt(bytes[i]);
  return out;
}

// A point of the curve in its one encoding, not of small order; else null.
function strictPoint(bytes) {
  try {
    const point = Point.fromHex(bytes, false);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
}

// The cofactorless check of 2.1: R is compared as bytes with the encoding of [S]B - [k]A, which is not of small order.
export function verify(publicKey, signature, text, ...parts) {
  const r = signature.slice(0, 32);
  const s = littleEndian(signature.slice(32));
  const key = strictPoint(publicKey);
  if (key === null || s >= ORDER) return false;
  const k = littleEndian(sha512(concat(r, publicKey, label(text), ...parts))) % ORDER;
  const left = s === 0n ? Point.ZERO : Point.BASE.multiply(s);
  const difference = left.subtract(k === 0n ? Point.ZERO : key.multiplyUnsafe(k));
  return equal(difference.toBytes(), r) && !difference.isSmallOrder();
}

export function aeadSeal(key, nonce, plaintext, aad) {
  return xchacha20poly1305(key, nonce, aad).encrypt(plaintext);
}

export function aeadOpen(key, nonce, sealed, aad) {
  if (sealed.length < 16) return null;
  try {
    return xchacha20poly1305(key, nonce, aad).decrypt(sealed);
  } catch {
    return null;
  }
}

// HSalsa20(key, 0^16) as libsodium's crypto_box makes it of an X25519 result
function hsalsa20(key) {
  const words = (bytes) => new Uint32Array(bytes.slice().buffer);
  const out = new Uint32Array(8);
  hsalsa(words(utf8('expand 32-byte k')), words(key), new Uint32Array(4), out);
  return new Uint8Array(out.buffer);
}

export const sealPublic = (secret) => x25519.getPublicKey(secret);

// Receivers open many boxes with one secret; making its public half is half of the work.
const publicOf = new Map();

function knownPublic(secret) {
  const name = hex(secret);
  if (publicOf.size > 1000) publicOf.clear();
  if (!publicOf.has(name)) publicOf.set(name, sealPublic(secret));
  return publicOf.get(name);
}

// Sealed box under an ephemeral key that is given, for it must be fresh and tests choose.
export function boxSeal(message, publicKey, ephemeralSecret) {
  const ephemeral = x25519.getPublicKey(ephemeralSecret);
  const key = hsalsa20(x25519.getSharedSecret(ephemeralSecret, publicKey));
  const nonce = blake2b(concat(ephemeral, publicKey), { dkLen: 24 });
  return concat(ephemeral, xsalsa20poly1305(key, nonce).encrypt(message));
}

export function boxOpen(sealed, secret) {
  if (sealed.length < 48) return null;
  const publicKey = knownPublic(secret);
  const ephemeral = sealed.slice(0, 32);
  try {
    const key = hsalsa20(x25519.getSharedSecret(secret, ephemeral)); // throws on an all-zero result
    const nonce = blake2b(concat(ephemeral, publicKey), { dkLen: 24 });
    return xsalsa20poly1305(key, nonce).decrypt(sealed.slice(32));
  } catch {
    return null;
  }
}
