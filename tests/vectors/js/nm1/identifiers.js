// Section 2.2: identifiers made of keys, people and conversations.
import { compare, concat, u32, utf8 } from './bytes.js';
import { H } from './primitives.js';

export const orgId = (name) => H('NM1/org', utf8(name)).slice(0, 16);
export const deviceId = (user, identity) => H('NM1/devid', user, identity).slice(0, 16);
export const keyId = (publicKey) => H('NM1/keyid', publicKey).slice(0, 8);
export const keyActor = (publicKey) => H('NM1/keyid', publicKey).slice(0, 16);

const ordered = (a, b) => (compare(a, b) <= 0 ? concat(a, b) : concat(b, a));
export const pairId = (a, b) => H('NM1/conv11', ordered(a, b)).slice(0, 16);
export const pairState = (a, b) => H('NM1/conv11st', ordered(a, b));

export const chainId = (device, conversation, chainNo, chainPublic) =>
  H('NM1/chainid', device, conversation, u32(chainNo), chainPublic).slice(0, 16);
