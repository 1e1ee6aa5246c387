"""The container's keys and records (FORMATS.md 2.13), and batches of packets (3.6)."""
from nm1 import H, aead, kdf, label, u16, u32, u64


# Python's standard library has no Argon2id: this was made by @noble/hashes 1.x, and both other implementations make it
# again (libsodium in C++, noble in JavaScript).
STRETCH = {"passphrase": "Zwölf Boxkämpfer jagen Viktor", "salt": bytes(range(16)), "operations": 3,
           "memory_bytes": 8 << 20,
           "stretched": bytes.fromhex("fa48fb532c73089138984d3f8dd8f90b7c7b7376f71fdadedf9bcc6c2e4f5b62")}


def container():
    stretched, half, share = b"\xa1" * 32, b"\xa2" * 32, b"\xa3" * 32
    root = H("NM1/root", stretched + half + share)
    s, record_key, index_key = b"\xa4" * 32, b"\xa5" * 32, b"\xa6" * 32
    nonce, plain = b"\xa7" * 24, b"was in einer Zeile steht"
    slot_key = kdf(32, 1, "NM1store", root)
    table, row, version, column = 7, 1_234_567, 89, 2
    return {"stretch": STRETCH, "stretched": stretched, "half": half, "share": share, "door": H("NM1/door", stretched + half), "root": root,
            "root_without_share": H("NM1/root", stretched + half + b"\0" * 32),
            "commitment": kdf(32, 9, "NM1store", root), "slot_key": slot_key, "s": s, "wrapping": kdf(32, 3, "NM1store", s),
            "nonce": nonce, "slot": 1, "slot_sealed": nonce + aead(slot_key, nonce, s, label("NM1/slot") + u32(1)),
            "record_key": record_key, "table": table, "row": row, "version": version, "plain": plain,
            "record": nonce + aead(record_key, nonce, plain, label("NM1/rec") + u32(table) + u64(row) + u64(version)),
            "index_key": index_key, "column": column, "value": plain,
            "blind": H("NM1/idx", u32(table) + u32(column) + plain, index_key)[:16]}


def batches(one, other):
    packets = [(one, b"\x01\x02"), (other, b""), (one, b"\x03" * 300)]
    tail = b"".join(device + u32(len(data)) + data for device, data in packets)
    numbers = [3, 5, 5_000_000_000]
    return {"packets": [{"device": device, "bytes": data} for device, data in packets], "number": 9, "dropped": 2,
            "waiting": 1_000, "up": b"NMub" + bytes([1, 0, 0, 0]) + u64(9) + u64(2) + u64(1_000) + tail,
            "done": numbers, "down": b"NMdb" + bytes([1, 0]) + u16(3) + b"".join(u64(n) for n in numbers) + tail}
