"""NM1's primitives from FORMATS.md on Python's hashlib and OpenSSL: no code in common with the product, nor libsodium."""
import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def u8(n):
    return struct.pack(">B", n)


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def label(text):
    assert len(text) <= 16
    return text.encode().ljust(16, b"\0")


def H(text, data, key=b""):
    return hashlib.blake2b(data, digest_size=32, key=key, salt=b"\0" * 16, person=label(text)).digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def kdf(length, number, context, key):
    return hashlib.blake2b(b"", digest_size=length, key=key, salt=struct.pack("<Q", number) + b"\0" * 8,
                           person=context.encode() + b"\0" * 8).digest()


class SigningKey:
    def __init__(self, seed_byte):
        self.seed = bytes([seed_byte]) * 32
        self._key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, text, data):
        return self._key.sign(label(text) + data)


def _quarter(x, a, b, c, d):
    def rotate(v, n):
        return ((v << n) | (v >> (32 - n))) & 0xFFFFFFFF

    x[a] = (x[a] + x[b]) & 0xFFFFFFFF
    x[d] = rotate(x[d] ^ x[a], 16)
    x[c] = (x[c] + x[d]) & 0xFFFFFFFF
    x[b] = rotate(x[b] ^ x[c], 12)
    x[a] = (x[a] + x[b]) & 0xFFFFFFFF
    x[d] = rotate(x[d] ^ x[a], 8)
    x[c] = (x[c] + x[d]) & 0xFFFFFFFF
    x[b] = rotate(x[b] ^ x[c], 7)


def _hchacha20(key, nonce16):
    x = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + struct.unpack("<4I", nonce16))
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            _quarter(x, a, b, c, d)
    return struct.pack("<8I", *(x[0:4] + x[12:16]))


def aead(key, nonce24, plaintext, aad):
    return ChaCha20Poly1305(_hchacha20(key, nonce24[:16])).encrypt(b"\0" * 4 + nonce24[16:], plaintext, aad)


def leaf(data):
    return sha256(b"\0" + data)


def node(left, right):
    return sha256(b"\1" + left + right)


def merkle_root(hashes):
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node(merkle_root(hashes[:k]), merkle_root(hashes[k:]))


def bit(key, depth):
    return key[depth // 8] >> (7 - depth % 8) & 1


def map_node(leaves, depth):
    """node(S, d) of 2.11.1; leaves: {key16: hash32}"""
    if not leaves:
        return b"\0" * 32
    if len(leaves) == 1:
        return next(iter(leaves.values()))
    sides = [{k: v for k, v in leaves.items() if bit(k, depth) == s} for s in (0, 1)]
    return node(map_node(sides[0], depth + 1), map_node(sides[1], depth + 1))


def map_path(leaves, key):
    """Siblings deepest first, and the key of the leaf that stands at the end (None: empty node)."""
    siblings, depth = [], 0
    while len(leaves) > 1:
        siblings.insert(0, map_node({k: v for k, v in leaves.items() if bit(k, depth) != bit(key, depth)}, depth + 1))
        leaves = {k: v for k, v in leaves.items() if bit(k, depth) == bit(key, depth)}
        depth += 1
    return siblings, next(iter(leaves), None)


def padme(n):
    if n < 2:
        return n
    e = n.bit_length() - 1
    s = e.bit_length()
    step = 1 << (e - s)
    return (n + step - 1) // step * step


def pad_content(n):
    for size in (128, 256, 512, 1024):
        if n <= size:
            return size
    return padme(n)
