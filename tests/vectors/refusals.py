"""What must be refused in form: good records with one thing wrong, each named by its failure."""
from nm1 import u16, u32, u64

HOUR = 3_600_000


def put(record, at, value):
    return record[:at] + value + record[at + len(value):]


def refused(good):
    """good: form -> bytes. Rows of form, why, bytes."""
    rows = []

    def add(form, why, data):
        rows.append({"form": form, "why": why, "bytes": data})

    for form, record in good.items():
        add(form, "one byte short", record[:-1])
        add(form, "a trailing byte", record + b"\0")
        add(form, "nothing", b"")
    for form in ("device_cert", "device_revoke", "seal_key", "event", "chain_body", "key_request", "history_offer", "head"):
        add(form, "another magic", put(good[form], 3, b"?"))
        add(form, "version 2", put(good[form], 4, b"\2"))
        add(form, "suite 2", put(good[form], 5, b"\2"))
    for form in ("grant_header", "message_header", "grant_upload"):
        add(form, "another type", put(good[form], 0, b"\3"))
        add(form, "version 2", put(good[form], 1, b"\2"))
        add(form, "suite 2", put(good[form], 2, b"\2"))
        add(form, "an unknown flag", put(good[form], 3, b"\2"))
    for form in ("device_revoke", "seal_key", "event", "chain_body", "key_request", "history_offer", "head"):
        add(form, "a reserved byte that is not zero", put(good[form], 7, b"\1"))

    cert = good["device_cert"]
    add("device_cert", "role 0", put(cert, 6, b"\0"))
    add("device_cert", "role 3", put(cert, 6, b"\3"))
    add("device_cert", "an unknown flag", put(cert, 7, b"\4"))
    add("device_cert", "a first device with a voucher", put(cert, 264, b"\1"))
    add("device_cert", "a first device with a voucher's signature", put(cert, 343, b"\1"))
    add("device_cert", "vouched by nobody", put(cert, 7, b"\1"))
    add("device_cert", "seq 0", put(cert, 72, u32(0)))
    add("device_cert", "attestation 2", put(cert, 78, u16(2)))
    add("device_cert", "ends as it begins", put(cert, 88, cert[80:88]))
    begin = int.from_bytes(cert[80:88], "big")
    add("device_cert", "1,096 days and a millisecond", put(cert, 88, u64(begin + 1_096 * 24 * HOUR + 1)))
    for reason in (0, 5):
        add("device_revoke", f"reason {reason}", put(good["device_revoke"], 6, bytes([reason])))
    add("device_revoke", "seq 0", put(good["device_revoke"], 64, u32(0)))
    for kind in (0, 3):
        add("seal_key", f"kind {kind}", put(good["seal_key"], 6, bytes([kind])))
        add("key_request", f"kind {kind}", put(good["key_request"], 6, bytes([kind])))
    add("chain_body", "an unknown flag", put(good["chain_body"], 6, b"\2"))
    add("head", "revision 0", put(good["head"], 8, u64(0)))
    add("history_offer", "kind 2", put(good["history_offer"], 6, b"\2"))
    issued = int.from_bytes(good["history_offer"][192:200], "big")
    add("history_offer", "over before it is issued", put(good["history_offer"], 200, u64(issued - 1)))
    add("history_offer", "an hour and a millisecond", put(good["history_offer"], 200, u64(issued + HOUR + 1)))

    event = good["event"]
    items, end = 146, len(event) - 96
    for kind in (0, 5):
        add("event", f"kind {kind}", put(event, 6, bytes([kind])))
    add("event", "a create of epoch 2", put(event, 24, u64(2)))
    add("event", "a change of epoch 1", put(event, 6, b"\2"))
    add("event", "epoch 0", put(put(event, 6, b"\2"), 24, u64(0)))
    add("event", "role 4", put(event, items + 16, b"\4"))
    add("event", "operation 0", put(event, items + 17, b"\0"))
    add("event", "a create that removes", put(event, items + 17, b"\2"))
    add("event", "items out of order", event[:items] + event[items + 18:end] + event[items:items + 18] + event[end:])
    add("event", "one user twice", event[:items] + event[items:items + 18] * 2 + event[end:])
    add("event", "a create of nobody", put(event[:items] + event[end:], 144, u16(0)))
    add("event", "a close with items", put(put(event, 6, b"\4"), 24, u64(2)))

    content = good["content"]
    add("content", "version 2", put(content, 0, b"\2"))
    add("content", "an unknown flag", put(content, 2, u16(2)))
    add("content", "padding that is not zero", content[:-1] + b"\1")
    add("content", "a longer padding", content.ljust(256, b"\0"))
    add("content", "a body beyond the end", put(content, 52, u32(len(content))))
    add("content", "a body of another step", put(content, 52, u32(0xFFFFFFFF)))
    add("grant_upload", "no wraps", put(good["grant_upload"][:432], 84, u32(0)))
    add("grant_upload", "two wraps, one there", put(good["grant_upload"], 84, u32(2)))
    add("path", "129 siblings", b"\x81" + b"\0" * 32 * 129)
    add("absence", "an unknown end", b"\0\3" + b"\0" * 48)
    add("absence", "a leaf of no records", b"\0\1" + b"\0" * 20)
    add("absence", "a leaf of 129 records", b"\0\1" + b"\0" * 16 + u32(129) + b"\0" * 32 * 129)

    control = good["sealed_control"]
    add("sealed_control", "type 2", put(control, 0, b"\2"))
    add("sealed_control", "type 4 with a key request's length", put(control, 0, b"\4"))
    add("sealed_control", "version 2", put(control, 1, b"\2"))
    add("sealed_control", "suite 2", put(control, 2, b"\2"))
    add("sealed_control", "a reserved byte that is not zero", put(control, 3, b"\1"))

    for form in ("wipe_order", "wipe_receipt"):
        add(form, "another magic", put(good[form], 3, b"?"))
        for at, what in ((4, "version"), (5, "suite")):
            add(form, f"{what} 2", put(good[form], at, b"\2"))
        add(form, "a reserved byte that is not zero", put(good[form], 7, b"\1"))
    order = good["wipe_order"]
    issued = int.from_bytes(order[56:64], "big")
    add("wipe_order", "kind 2", put(order, 6, b"\2"))
    add("wipe_order", "over when it is issued", put(order, 64, order[56:64]))
    add("wipe_order", "30 days and a millisecond", put(order, 64, u64(issued + 30 * 24 * HOUR + 1)))
    for result in (0, 3):
        add("wipe_receipt", f"result {result}", put(good["wipe_receipt"], 6, bytes([result])))
    return rows
