"""crypto_box_seal in Python: HSalsa20 and XSalsa20 by the Salsa20 paper, Poly1305 and X25519 by OpenSSL."""
import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.poly1305 import Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGMA = struct.unpack("<4I", b"expand 32-byte k")
COLUMNS = ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11))
ROWS = ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14))


def _rounds(state):
    x = list(state)
    for _ in range(10):
        for a, b, c, d in COLUMNS + ROWS:
            for target, p, q, shift in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
                v = (x[p] + x[q]) & 0xFFFFFFFF
                x[target] ^= (v << shift | v >> (32 - shift)) & 0xFFFFFFFF
    return x


def _state(key, sixteen):
    k, n = struct.unpack("<8I", key), struct.unpack("<4I", sixteen)
    return [SIGMA[0], *k[:4], SIGMA[1], *n, SIGMA[2], *k[4:], SIGMA[3]]


def hsalsa20(key, sixteen):
    x = _rounds(_state(key, sixteen))
    return struct.pack("<8I", *(x[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))


def _stream(key, nonce8, length):
    out = b""
    while len(out) < length:
        state = _state(key, nonce8 + struct.pack("<Q", len(out) // 64))
        out += struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(_rounds(state), state)))
    return out[:length]


def secretbox(message, nonce24, key):
    stream = _stream(hsalsa20(key, nonce24[:16]), nonce24[16:], 32 + len(message))
    ciphertext = bytes(a ^ b for a, b in zip(message, stream[32:]))
    return Poly1305.generate_tag(stream[:32], ciphertext) + ciphertext


def x25519_public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sealed_box(message, public, ephemeral_secret):
    ephemeral = x25519_public(ephemeral_secret)
    shared = X25519PrivateKey.from_private_bytes(ephemeral_secret).exchange(X25519PublicKey.from_public_bytes(public))
    nonce = hashlib.blake2b(ephemeral + public, digest_size=24).digest()
    return ephemeral + secretbox(message, nonce, hsalsa20(shared, b"\0" * 16))
