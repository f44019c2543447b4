"""Runs generated codecs in MicroPython for the tests: a line of JSON with operations in, a line with their results out.

Every call into a codec is made with the heap locked, so that an allocation fails the test that caused it.
"""

import binascii
import json
import struct
import sys

import micropython

codec = {}
buf = bytearray(256)


def load(path):
    codec.clear()
    with open(path) as source:  # noqa: PTH123 (MicroPython has no pathlib)
        exec(source.read(), codec)
    return [codec["RECEIVED"], codec["SENT"]]


def get(name):
    value = codec[name]
    return value if isinstance(value, (int, tuple)) else list(value)


def call(name, argument):
    function = codec[name]
    micropython.heap_lock()
    try:
        return function(argument)
    finally:
        micropython.heap_unlock()


def accept(key, frame, length):
    """The verdict on a frame that stands behind another one, of no known message; and all slots of rx."""
    data = binascii.unhexlify(frame)
    buf[:16] = b"\xff" * 16
    buf[16:24] = struct.pack("<Ii", key, length)
    for at in range(8):
        buf[24 + at] = data[at] if at < len(data) else 0xA5
    function = codec["accept"]
    micropython.heap_lock()
    try:
        verdict = function(0, 2, buf)
    finally:
        micropython.heap_unlock()
    return [verdict, list(codec["rx"])]


def pack(place, slots):
    """The bytes of the sent message with this number and eight behind it, which were 0xA5 before."""
    tx = codec["tx"]
    for slot, value in slots:
        tx[slot] = value
    for at in range(len(buf)):
        buf[at] = 0xA5
    function = codec["pack"]
    micropython.heap_lock()
    try:
        function(1 << place, buf)
    finally:
        micropython.heap_unlock()
    return binascii.hexlify(buf[8 * place : 8 * place + 16]).decode()


OPERATIONS = {"load": load, "get": get, "call": call, "accept": accept, "pack": pack}

for line in sys.stdin:
    try:
        answer = [OPERATIONS[name](*args) for name, *args in json.loads(line)]
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer))  # noqa: T201 (the answer)
