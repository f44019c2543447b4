"""Which key does what, and the words for the help page. The names are those of curses' `keyname`."""

from typing import NamedTuple


class Binding(NamedTuple):
    """An action, the keys for it (first: that shown) and what it does in a few words."""

    action: str
    keys: tuple[str, ...]
    shown: str
    help: str


class Group(NamedTuple):
    """Bindings under one heading of the help page."""

    title: str
    bindings: tuple[Binding, ...]


ENTER = ("^J", "^M", "KEY_ENTER")
ESCAPE = ("^[",)
BACKSPACE = ("KEY_BACKSPACE", "^?", "^H", "KEY_DC")
RESIZE = "KEY_RESIZE"

GROUPS = (
    Group(
        "Look around",
        (
            Binding("down", ("KEY_DOWN", "j"), "Down j", "next message"),
            Binding("up", ("KEY_UP", "k"), "Up k", "previous message"),
            Binding("page_down", ("KEY_NPAGE", "^F"), "PgDn", "a page on"),
            Binding("page_up", ("KEY_PPAGE", "^B"), "PgUp", "a page back"),
            Binding("first", ("KEY_HOME", "g"), "Home g", "first message"),
            Binding("last", ("KEY_END", "G"), "End G", "last message"),
            Binding("toggle", (*ENTER, "KEY_RIGHT", "KEY_LEFT"), "Enter", "open or close: signals, bits, statistics"),
            Binding("toggle_all", ("e",), "e", "open or close all"),
            Binding("pause", (" ", "p"), "Space p", "hold the picture (frames are counted and recorded on)"),
        ),
    ),
    Group(
        "Choose",
        (
            Binding("filter", ("f",), "f", "filter: 0A0 100-1FF name from:VCU to:INV_F is:late !not a|b"),
            Binding("clear_filter", ("F",), "F", "no filter"),
            Binding("search", ("/",), "/", "search, with the same words"),
            Binding("next_hit", ("n",), "n", "next hit"),
            Binding("previous_hit", ("N",), "N", "previous hit"),
            Binding("sort", ("s",), "s", "next order: id, name, node, rate, age, faults"),
            Binding("reverse", ("S",), "S", "turn the order round"),
            Binding("mark", ("m",), "m", "mark the message"),
            Binding("only_marked", ("M",), "M", "show marked messages only"),
            Binding("absent", ("a",), "a", "show messages of the DBC that were not heard"),
            Binding("content", ("d",), "d", "data and signals, signals only, data only"),
        ),
    ),
    Group(
        "Changes and statistics",
        (
            Binding("set_mark", ("t",), "t", "highlight what changes from this moment on"),
            Binding("clear_mark", ("T",), "T", "highlight what has changed just now"),
            Binding("notch", ("x",), "x", "no longer highlight the bits that have changed so far"),
            Binding("clear_notches", ("X",), "X", "highlight all bits again"),
            Binding("restart", ("z",), "z", "statistics from zero"),
            Binding("clear", ("Z",), "Z", "forget all messages"),
        ),
    ),
    Group(
        "Record and leave",
        (
            Binding("record", ("w",), "w", "start or stop recording (.blf .asc .log .csv .trc .mf4 ...)"),
            Binding("picture", ("P",), "P", "write the screen to an SVG file"),
            Binding("reopen", ("o",), "o", "connect again after the bus has gone"),
            Binding("help", ("h", "?", "KEY_F(1)"), "h ?", "this page"),
            Binding("quit", ("q", "^C"), "q", "leave"),
        ),
    ),
    Group(
        "In a log",
        (
            Binding("slower", ("[",), "[", "half the speed"),
            Binding("faster", ("]",), "]", "twice the speed"),
            Binding("forward", (".",), ".", "10 s on"),
            Binding("back", (",",), ",", "10 s back"),
            Binding("rewind", ("0",), "0", "from the beginning"),
        ),
    ),
)

ACTIONS = {key: binding.action for group in GROUPS for binding in group.bindings for key in binding.keys}
"""Key -> action."""
