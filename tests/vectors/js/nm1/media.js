// Section 2.10: media blobs in sealed chunks of 64 KiB.
import { concat, equal, label, u64, u8, zeros } from './bytes.js';
import { padme } from './message.js';
import { aeadOpen, aeadSeal, sha256 } from './primitives.js';

export const CHUNK = 65536;
const TAG = 16;

// {blob, conversation, padded}; padded is a BigInt, and chunks here are few enough for numbers
const chunkCount = (shape) => Math.max(1, Math.ceil(Number(shape.padded) / CHUNK));
const plainLength = (shape, i) => Math.min(CHUNK, Number(shape.padded) - i * CHUNK);
const nonceOf = (shape, i) => concat(zeros(15), u64(i), u8(i === chunkCount(shape) - 1 ? 1 : 0));
const aadOf = (shape) => concat(label('NM1/blob'), shape.blob, shape.conversation, u64(shape.padded));

export function openChunk(shape, key, i, sealed) {
  if (i >= chunkCount(shape) || sealed.length !== plainLength(shape, i) + TAG) return null;
  return aeadOpen(key, nonceOf(shape, i), sealed, aadOf(shape));
}

export function sealBlob({ blob, conversation }, key, plain) {
  const shape = { blob, conversation, padded: padme(plain.length) };
  const data = concat(plain, zeros(Number(shape.padded) - plain.length));
  const chunks = [];
  for (let i = 0; i < chunkCount(shape); ++i) {
    const chunk = aeadSeal(key, nonceOf(shape, i), data.slice(i * CHUNK, (i + 1) * CHUNK), aadOf(shape));
    chunks.push(chunk);
  }
  const sealed = concat(...chunks);
  return { shape, chunks, sealed, digest: sha256(sealed) };
}

// The whole blob, or null: a chunk, the length or the digest is not as it must be.
export function openBlob(shape, key, plainLen, digest, sealed) {
  if (padme(plainLen) !== shape.padded || sealed.length !== Number(shape.padded) + TAG * chunkCount(shape)) return null;
  const chunks = [];
  for (let i = 0; i < chunkCount(shape); ++i) {
    const at = i * (CHUNK + TAG);
    const chunk = openChunk(shape, key, i, sealed.slice(at, at + plainLength(shape, i) + TAG));
    if (chunk === null) return null;
    chunks.push(chunk);
  }
  if (!equal(sha256(sealed), digest)) return null;
  return concat(...chunks).slice(0, plainLen);
}
