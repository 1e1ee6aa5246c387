// Ed25519 at its edges: both must refuse the same public keys, R and S, and neither multiplies by the cofactor (2.1).
import { ed25519 } from '@noble/curves/ed25519';
import { sha512 } from '@noble/hashes/sha2';
import { concat, hex, label, unhex } from '../nm1/bytes.js';
import { verify } from '../nm1/primitives.js';
import { agree, sameValue } from './agree.js';

const Point = ed25519.Point;
const ORDER = Point.Fn.ORDER;
const FIELD = 2n ** 255n - 19n;
const LABEL = 'NM1/msg-sig';
// generates all eight points of small order
const TORSION = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', true);

const toNumber = (bytes) => [...bytes].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const toBytes = (number) => unhex(number.toString(16).padStart(64, '0')).reverse();
const torsion = (n) => (n % 8 === 0 ? Point.ZERO : TORSION.multiplyUnsafe(BigInt(n % 8)));

// A signature for the key a·B + tA, with R = r·B + tR: correct but for the points of small order.
function crafted(random, tA, tR, data) {
  const a = toNumber(random.bytes(32)) % ORDER;
  const r = toNumber(random.bytes(32)) % ORDER;
  const key = Point.BASE.multiply(a).add(torsion(tA)).toBytes();
  const big = Point.BASE.multiply(r).add(torsion(tR)).toBytes();
  const k = toNumber(sha512(concat(big, key, label(LABEL), data))) % ORDER;
  return { a, k, key, r: big, s: (r + k * a) % ORDER };
}

async function both(peer, key, signature, data, what) {
  const theirs = await peer.ask('raw_signature', { key: hex(key), signature: hex(signature), label: LABEL, data: hex(data) });
  sameValue(verify(key, signature, LABEL, data), theirs.holds, what);
  return theirs.holds;
}

export async function strictSignature({ random, peer, nth }) {
  const data = random.bytes(random.below(100));
  const [tA, tR] = [nth % 8, random.chance(1, 2) ? 0 : random.below(8)];
  const made = crafted(random, tA, tR, data);
  const holds = await both(peer, made.key, concat(made.r, toBytes(made.s)), data, 'with parts of small order');
  // [S]B − [k]A is R exactly when the parts of small order cancel out; times eight they always do
  sameValue(holds, (Number(made.k % 8n) * tA + tR) % 8 === 0, 'cofactorless');
  agree(!(await both(peer, made.key, concat(made.r, toBytes(made.s + ORDER)), data, 'S + L')), 'S + L is refused');
  const bent = random.flipped(concat(made.r, toBytes(made.s)));
  agree(!(await both(peer, made.key, bent, data, 'one bit changed')), 'a changed signature is refused');
}

// Keys and R of small order, also written with y + p: under A = 0, S·B = R holds for any message.
export async function smallOrderKey({ random, peer, nth }) {
  const point = torsion(nth).toBytes();
  const y = toNumber(point) & (2n ** 255n - 1n);
  const plain = [point, y < 19n ? toBytes((y + FIELD) | (BigInt(point[31] >> 7) << 255n)) : point];
  const key = plain[Math.floor(nth / 8) % 2];
  const s = toNumber(random.bytes(32)) % ORDER;
  const data = random.bytes(40);
  const r = random.chance(1, 3) ? plain[0] : Point.BASE.multiply(s).toBytes();
  agree(!(await both(peer, key, concat(r, toBytes(s)), data, 'a key of small order')), 'a key of small order is refused');
  const honest = crafted(random, 0, 0, data);
  const k = toNumber(sha512(concat(plain[0], honest.key, label(LABEL), data))) % ORDER;
  const smallR = concat(plain[0], toBytes((k * honest.a) % ORDER)); // for R = 0 the equation holds
  agree(!(await both(peer, honest.key, smallR, data, 'an R of small order')), 'an R of small order is refused');
}
