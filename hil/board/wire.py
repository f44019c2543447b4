"""The binary protocol between bench and interpreter, as `mpy/_vb_wire.py` has it on the other side.

Board to bench: a header (operation, number of outputs, wake-up time in board microseconds) and outputs of 24 bytes.
Bench to board: blocks of a header (number of events, "more follow", base and end of the window in board microseconds)
and events of 24 bytes; a block has room for 20. Everything is little-endian. One request and one reply make one
wake-up.
"""

from enum import IntEnum
from struct import Struct

FROZEN = True
REQUEST = Struct("<IIqI4x")
OUTPUT = Struct("<BBBBIq8s")
REPLY = Struct("<IIqq")
EVENT = Struct("<BBBBIII8s")

EVENTS_PER_BLOCK = 20
BLOCK_BYTES = REPLY.size + EVENTS_PER_BLOCK * EVENT.size
NEVER_US = 0x7FFF_FFFF_FFFF


class Op(IntEnum):
    """What a request asks for."""

    WAIT = 0
    MORE = 1
    RESET = 2
    SOFT_RESET = 3


class Out(IntEnum):
    """Outputs of the board: bytes kind, a, length, flags; word ident; time; 8 bytes of data."""

    SEND = 1  # a mailbox, flags FLAG_RTR 1 and FLAG_EXT_ID 2, ident CAN id
    CANCEL = 2  # a mailbox
    RESTART = 3
    CAN_INIT = 4  # a mode, ident bit rate
    CAN_DEINIT = 5
    FILTER = 6  # a index, flags FLAG_EXT_ID, ident id, data mask
    CLEAR_FILTERS = 7
    PIN = 8  # a level, ident pin number
    PIN_MODE = 9  # a mode, flags pull, ident pin number | level << 8
    WDT_START = 10  # data counts of the watchdog's oscillator
    WDT_FEED = 11
    MAIN_ENDED = 12  # a 0 by itself, 1 by an exception
    CANCEL_ALL = 13
    READY = 14


class Event(IntEnum):
    """Events for the board: bytes kind, a, b, c; time after the base in bench ns; word ident; word; 8 bytes of data."""

    RX = 1  # a FIFO, b DLC, c flags, ident CAN id
    TX_DONE = 2  # a mailbox, b success
    STATE = 3  # a state, b and c TEC, ident REC
    RESTARTED = 4
    PIN = 5  # a number, b level
    ADC = 6  # a number, ident millivolts
    KEYBOARD_INTERRUPT = 7
