"""Protobuf's wire format, as far as nimes.v1.Content goes, and one body of every kind of content."""


def varint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """A non-default value: int, bool, bytes, text; a list is repeated, of integers packed."""
    if isinstance(value, list):
        if value and isinstance(value[0], int):
            return field(number, b"".join(map(varint, value)))
        return b"".join(field(number, item) for item in value)
    if isinstance(value, int):
        return varint(number << 3) + varint(int(value))
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def message(*fields):
    return b"".join(field(i + 1, value) for i, value in enumerate(fields) if value not in (None, 0, False, b"", "", []))


def zigzag(n):
    return n << 1 if n >= 0 else (-n << 1) - 1


def contents(device, user, state, event):
    """name, kind, body: the field number of the oneof is the kind."""
    uuid = b"\xa1" * 16
    ref = message(device, uuid)
    medium = message(b"\x31" * 32, b"\x32" * 16, 150_000, 151_552, b"\x34" * 32)
    bodies = [
        ("text", message("Streife 12, bitte melden. Grüße – 👮", ref, [user], 3_600, True)),
        ("media", message(medium, "Kennzeichen", b"\xff\xd8\xff\xd9", "image/jpeg", 1_920, 1_080, 4_000, 1_780_000_000_000,
                          "foto.jpg", 60, True)),
        ("receipt", message(2, [message(ref, b"\x35" * 16), message(message(device, b"\xa2" * 16), b"\x36" * 16)])),
        ("reaction", message(ref, "👍", False)),
        ("edit", message(uuid, "berichtigt", 2)),
        ("delete_for_all", message(ref, True)),
        ("event", message(7, state, event)),
        ("info", message("Nachtdienst", medium, 86_400)),
        ("poll", message("Wann?", ["um acht", "um neun"], 1_780_000_600_000)),
        ("vote", message(ref, [0, 1, 49])),
        ("recall_report", message(ref, 3)),
        ("signal", message(1)),
        ("position", message(zigzag(525_200_080), zigzag(-134_049_540), 12, 1_780_000_000_000, "Tor 3")),
    ]
    return [(name, i + 1, field(i + 1, body)) for i, (name, body) in enumerate(bodies)]
