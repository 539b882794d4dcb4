"""stream.py FILE: an export read as quire-export(5) says, and by nothing else of
ours; prints its store and totals as verify does, up to the chain."""
import hashlib
import struct
import sys
import zlib


def blake(octets):
    return hashlib.blake2b(octets, digest_size=32).digest()


def be64(*numbers):
    return struct.pack(">%dQ" % len(numbers), *numbers)


def frames(text):
    """Types and payloads; the last one is the hash of all before it."""
    magic = b"quire-export 1\n"
    assert text.startswith(magic)
    at = len(magic)
    while at < len(text):
        kind, size = struct.unpack(">cI", text[at:at + 5])
        payload = text[at + 5:at + 5 + size]
        assert len(payload) == size
        if kind == b"Z":
            assert payload == blake(text[:at])
        at += 5 + size
        yield kind, payload


def digest(number, record, blobs):
    """Of a record, and whether it is one and no stub; or the chain after it."""
    assert struct.unpack(">I", record[-4:])[0] == zlib.crc32(record[:-4])
    version, kind, flags, session, time = struct.unpack(">BBBQQ", record[:19])
    assert version == 1
    at = 19 + (8 if flags & 2 else 0)
    if flags & 1:
        blob, size = struct.unpack(">QQ", record[at:at + 16])
        at += 16
    body = record[at:-4]
    if flags & 12:
        return flags & 12, body
    text = be64(number, kind, session, time, len(body)) + body
    if flags & 1:
        assert blobs[blob][:2] == [True, size]
        text += be64(size) + blobs[blob][2]
    return 0, blake(text)


def main():
    with open(sys.argv[1], "rb") as file:
        parts = list(frames(file.read()))
    assert [parts[0][0], parts[-2][0], parts[-1][0]] == [b"S", b"T", b"Z"]
    dialect, name = parts[0][1][4:].split(b"\0", 1)
    blobs, chain, records = {}, bytes(32), 0
    for kind, payload in parts:
        if kind == b"B":
            blob, piece = struct.unpack(">QI", payload[:12])
            octets = payload[12:]
            whole, size, before = blobs.get(blob, [True, 0, bytes(32)])
            whole = whole and size == piece * 65536
            blobs[blob] = [whole, size + len(octets),
                           blake(before + be64(piece) + octets)]
        elif kind == b"L":
            number, = struct.unpack(">Q", payload[:8])
            stub, found = digest(number, payload[8:], blobs)
            chain = found if stub == 8 else blake(chain + found)
            records += not stub
    newest, oldest, count, octets, head = struct.unpack(">QQQQ32s",
                                                        parts[-2][1])
    assert count == records and head == chain
    print("%s:%s whole seq %d oldest %d records %d bytes %d chain %s" % (
        dialect.decode(), name.decode(), newest, oldest, count, octets,
        chain.hex()))


main()
