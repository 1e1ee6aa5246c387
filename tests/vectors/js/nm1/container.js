// Section 2.13: how the container's keys follow from each other, and what a row is sealed to.
import { concat, label, u32, u64 } from './bytes.js';
import { argon2id } from '@noble/hashes/argon2';
import { H, aeadOpen, kdf, keyedH } from './primitives.js';

const CONTEXT = 'NM1store';
const NONCE = 24;

export const stretch = (passphrase, salt, operations, bytes) =>
  argon2id(passphrase, salt, { t: operations, m: bytes / 1024, p: 1, dkLen: 32 });
export const doorKey = (stretched, half) => H('NM1/door', stretched, half);
export const rootKey = (stretched, half, share) => H('NM1/root', stretched, half, share);
export const commitment = (root) => kdf(32, 9, CONTEXT, root);
export const slotKey = (root) => kdf(32, 1, CONTEXT, root);
export const wrappingKey = (s) => kdf(32, 3, CONTEXT, s);

const open = (key, sealed, aad) => aeadOpen(key, sealed.slice(0, NONCE), sealed.slice(NONCE), aad);

export const openSlot = (key, slot, sealed) => open(key, sealed, concat(label('NM1/slot'), u32(slot)));
export const openRecord = (key, { table, row, version }, sealed) =>
  open(key, sealed, concat(label('NM1/rec'), u32(table), u64(row), u64(version)));
export const blind = (indexKey, table, column, value) => keyedH('NM1/idx', indexKey, u32(table), u32(column), value).slice(0, 16);
