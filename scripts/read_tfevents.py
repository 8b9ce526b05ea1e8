"""Reads TensorBoard event files with nothing but Python's standard library, and checks every checksum.

    python3 scripts/read_tfevents.py events.out.tfevents.0001 ...

prints for each file a line of JSON: [{"wall_time", "step", "version"?, "session"?, "values"?}, ...], where a value is
{"tag", "value"} or {"tag", "text"}.
Written after the format's own description, independently of what writes it here.
"""

import json
import struct
import sys


def crc32c(data):
    """Bit by bit, from the definition: slow and plain."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(content):
    at = 0
    while at < len(content):
        header = content[at : at + 8]
        (length,) = struct.unpack("<Q", header)
        (check,) = struct.unpack("<I", content[at + 8 : at + 12])
        assert check == masked(header), f"the length at byte {at} has a wrong checksum"
        data = content[at + 12 : at + 12 + length]
        assert len(data) == length, f"the record at byte {at} is cut off"
        (check,) = struct.unpack("<I", content[at + 12 + length : at + 16 + length])
        assert check == masked(data), f"the record at byte {at} has a wrong checksum"
        yield data
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, wire type, content) of each field of a message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire)
            if size is None:
                assert wire == 2, f"wire type {wire}"
                size, at = varint(data, at)
            value = data[at : at + size]
            assert len(value) == size, "a field is cut off"
            at += size
        yield number, wire, value


def read_value(data):
    """Summary.Value"""
    found = {}
    plugin = None
    for number, wire, content in fields(data):
        if (number, wire) == (1, 2):
            found["tag"] = content.decode()
        elif (number, wire) == (2, 5):
            (found["value"],) = struct.unpack("<f", content)
        elif (number, wire) == (8, 2):
            tensor = {n: c for n, _, c in fields(content)}
            assert tensor[1] == 7, "a tensor of text is of type DT_STRING"
            assert tensor[2] == b"", "and a scalar"
            found["text"] = tensor[8].decode()
        elif (number, wire) == (9, 2):
            ((_, _, data_of_plugin),) = fields(content)
            ((_, _, plugin),) = fields(data_of_plugin)
        else:
            raise AssertionError(f"Value has field {number} of wire type {wire}")
    assert plugin == (b"text" if "text" in found else None), f"plugin {plugin}"
    return found


def read_event(data):
    """Event"""
    event = {}
    for number, wire, content in fields(data):
        if (number, wire) == (1, 1):
            (event["wall_time"],) = struct.unpack("<d", content)
        elif (number, wire) == (2, 0):
            event["step"] = content
        elif (number, wire) == (3, 2):
            event["version"] = content.decode()
        elif (number, wire) == (5, 2):
            event["values"] = [read_value(value) for n, _, value in fields(content) if n == 1]
        elif (number, wire) == (7, 2):
            event["session"] = next(status for n, _, status in fields(content) if n == 1)
        else:
            raise AssertionError(f"Event has field {number} of wire type {wire}")
    return event


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(json.dumps([read_event(record) for record in records(file.read())]))
