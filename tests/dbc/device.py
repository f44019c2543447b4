"""Runs generated codecs in MicroPython for the tests: a line of JSON with operations in, a line with their results out.

Every call into a codec is made with the heap locked, so that an allocation fails the test that caused it.
"""

import binascii
import json
import sys

import micropython

codec = {}
buf = bytearray(16)


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


def accept(message, frame, length):
    """The verdict, and all slots of rx."""
    data = binascii.unhexlify(frame)
    for at in range(16):
        buf[at] = data[at] if at < len(data) else 0xA5
    function = codec["accept"]
    micropython.heap_lock()
    try:
        verdict = function(message, buf, length)
    finally:
        micropython.heap_unlock()
    return [verdict, list(codec["rx"])]


def pack(message, slots):
    """The length, and all 16 bytes of the buffer, which were 0xA5 before."""
    tx = codec["tx"]
    for slot, value in slots:
        tx[slot] = value
    for at in range(16):
        buf[at] = 0xA5
    function = codec["pack"]
    micropython.heap_lock()
    try:
        length = function(message, buf)
    finally:
        micropython.heap_unlock()
    return [length, binascii.hexlify(buf).decode()]


OPERATIONS = {"load": load, "get": get, "call": call, "accept": accept, "pack": pack}

for line in sys.stdin:
    try:
        answer = [OPERATIONS[name](*args) for name, *args in json.loads(line)]
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer))  # noqa: T201 (the answer)
