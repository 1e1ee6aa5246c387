// Safety numbers (FORMATS.md 2.3, "Verified contacts").
import { compare, concat, hex, u32 } from './bytes.js';
import { H } from './primitives.js';

// people: two of { user, keys }, the identity keys of certificates that no revocation names.
export function safetyNumber(people) {
  const inOrder = [...people].sort((a, b) => compare(a.user, b.user));
  const data = inOrder.map(({ user, keys }) => concat(user, u32(keys.length), ...[...keys].sort(compare)));
  const number = BigInt('0x' + hex(H('NM1/safety', ...data))) % 10n ** 60n;
  return number.toString().padStart(60, '0').match(/.{5}/g).join(' ');
}
