"""Which frames of a log are replayed: by identifier, message or sending node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from twinaxle.dbc.model import EXTENDED, Database
from twinaxle.dbc.names import find_message, suggestion
from twinaxle.errors import UserError
from twinaxle.logs.frames import FrameTable, Mask
from twinaxle.paths import shown


def keys_of_ids(database: Database, names: Iterable[str]) -> set[int]:
    """The keys (`Message.key`) of identifiers (`0x100`, `0x18FF0001x` for an extended one) or message names.

    An identifier needs no message in the DBC. Raises UserError for an unknown message.
    """
    keys = set()
    for name in names:
        try:
            keys.add(int(name.rstrip("xX"), 0) | (EXTENDED if name[-1:] in ("x", "X") else 0))
        except ValueError:
            keys.add(find_message(database, name).key)
    return keys


def keys_of_nodes(database: Database, nodes: Sequence[str]) -> set[int]:
    """The keys of all messages that any of the nodes sends. Raises UserError for an unknown node."""
    for node in nodes:
        if node not in database.nodes:
            near = suggestion(node, database.nodes) or f"; nodes: {', '.join(database.nodes)}"
            raise UserError(f"{shown(database.path)}: no node {node}{near}")
    return {message.key for message in database.messages.values() if set(nodes) & set(message.senders)}


def choose(frames: FrameTable, only: set[int] | None, without: set[int]) -> Mask:
    """True for frames with a key of `only` (None: any) that is not in `without`. Error frames have no key: False."""
    keys = frames.keys
    mask: Mask = ~frames.has_error
    if only is not None:
        mask &= np.isin(keys, np.array(sorted(only), dtype=np.uint32))
    return mask & ~np.isin(keys, np.array(sorted(without), dtype=np.uint32))
