"""Judges a whole log by the DBC: applies the rules, gathers the figures of each message."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Database
from twinaxle.errors import UserError
from twinaxle.judge.config import Config
from twinaxle.judge.material import Material, MessageFrames
from twinaxle.judge.result import Judgement, MessageRow
from twinaxle.judge.rules import RULES
from twinaxle.judge.stream import USABLE, key_text
from twinaxle.logs.frames import FrameTable


def judge(
    table: FrameTable, database: Database, config: Config, source: Path | str, without_rules: Collection[str] = ()
) -> Judgement:
    """Judge the frames of one bus. `source` names them in the result; `without_rules` are rules to leave out.

    Raises UserError if there is no frame or no such rule.
    """
    known = [rule.name for rule in RULES]
    for name in without_rules:
        if name not in known:
            raise UserError(f"there is no rule {name!r}; there are {', '.join(known)}")
    material = Material(table, database, config.bitrate)
    checks = [check for rule in RULES if rule.name not in without_rules for check in rule.check(material, config)]
    skipped = tuple(f"{count} {what} are not judged" for what, count in table.skipped.items())
    return Judgement(
        source=str(source),
        dbc=database.path.name,
        protocol_hash=database.protocol_hash,
        frames=len(table),
        duration_s=material.end_s,
        checks=tuple(checks),
        rows=tuple(_rows(material)),
        notes=table.notes + skipped,
    )


def one_channel(table: FrameTable, channel: int | None) -> FrameTable:
    """The frames of one channel: a bus is judged by itself.

    Raises UserError if there is no such channel, or several and none is named.
    """
    channels = np.unique(table.channel)
    names = ", ".join(str(number) for number in channels)
    if channel is None:
        if len(channels) > 1:
            raise UserError(f"the log has the channels {names}: choose one with --channel")
        return table
    if channel not in channels:
        raise UserError(f"the log has no channel {channel}, only {names}")
    return table.take(table.channel == channel)


def _rows(material: Material) -> list[MessageRow]:
    rows = [_row(frames) for frames in material]
    for key, table in sorted(material.unknown.items()):
        cycles_ms = np.diff(table.time_ns) * 1e-6
        rows.append(MessageRow(key_text(key), key, len(table), None, *_extremes(cycles_ms), e2e_bad=None, lost=None))
    return rows


def _row(frames: MessageFrames) -> MessageRow:
    message = frames.message
    bad = None if frames.verdicts is None else int(np.count_nonzero(~np.isin(frames.verdicts, USABLE)))
    return MessageRow(
        message.name,
        message.key,
        len(frames),
        message.cycle_ms or None,
        *_extremes(frames.cycles_s * 1e3),
        e2e_bad=bad,
        lost=None if frames.verdicts is None else int(frames.lost[1].sum()),
    )


def _extremes(cycles_ms: npt.NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    """Minimum, mean and maximum."""
    if not len(cycles_ms):
        return None, None, None
    return float(cycles_ms.min()), float(cycles_ms.mean()), float(cycles_ms.max())
