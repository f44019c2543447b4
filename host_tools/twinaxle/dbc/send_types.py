"""What tools write as GenMsgSendType, and what it means. All words are in lower case without blanks, `_` and `-`."""

PURELY_CYCLIC = frozenset({"cyclic", "cyclicx", "fixedperiodic"})
CYCLIC_AND_MORE = frozenset(
    {"cyclicandspontaneous", "cyclicandspontaneousx", "cyclicevent", "cyclicandevent", "cycliconchange"}
)
CYCLIC_AT_TIMES = frozenset({"cyclicifactive", "cyclicifactivefast"})
CYCLIC = PURELY_CYCLIC | CYCLIC_AND_MORE | CYCLIC_AT_TIMES
"""All that need a cycle time."""

NOT_CYCLIC = frozenset(
    {
        "event", "spontaneous", "spontaneousx", "spontaneouswithdelay", "spontaneouswithrepetition", "noevent",
        "onevent", "ifactive", "ifactivewithrepetition", "onchange", "onchangewithrepetition", "onwrite",
        "onwritewithrepetition", "eventperiodic", "enabledperiodic", "bafunctionalrequest", "triggered", "request",
        "ondemand", "onrequest", "nomsgsendtype", "nosendtype", "none", "notused", "reserved", "vectorleerstring", "",
    }
)  # fmt: skip


def normal_name(word: str) -> str:
    """A name in lower case without blanks, `_` and `-`, as the sets have them."""
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")
