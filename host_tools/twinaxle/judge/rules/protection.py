"""Rules on the E2E protection of messages that have one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twinaxle.e2e import Verdict
from twinaxle.judge.config import Config
from twinaxle.judge.material import Material
from twinaxle.judge.result import Check, judged

_COUNTER_FAULTS = {
    Verdict.REPEATED: "repeated", Verdict.WRONG_SEQUENCE: "wrong sequence", Verdict.INVALID_COUNTER: "invalid",
}  # fmt: skip


def crc(material: Material, config: Config) -> Iterator[Check]:
    for frames in material:
        if frames.verdicts is None:
            continue
        wrong = frames.verdicts == Verdict.WRONG_CRC
        count = int(np.count_nonzero(wrong))
        text = f"{count} of {len(frames)} frames with a wrong CRC" if count else f"{len(frames)} frames"
        yield judged("crc", frames.message.name, text, count, frames.first_s(wrong), frames=len(frames))


def counter(material: Material, config: Config) -> Iterator[Check]:
    for frames in material:
        if frames.verdicts is None or frames.message.e2e is None:
            continue
        counts = {what: int(np.count_nonzero(frames.verdicts == verdict)) for verdict, what in _COUNTER_FAULTS.items()}
        wrong = np.isin(frames.verdicts, list(_COUNTER_FAULTS))
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        text = f"{told}; a step of 1 to {frames.message.e2e.max_delta} is allowed" if told else f"{len(frames)} frames"
        named = {what.replace(" ", "_"): count for what, count in counts.items()}
        yield judged("counter", frames.message.name, text, sum(counts.values()), frames.first_s(wrong), **named)


def lost(material: Material, config: Config) -> Iterator[Check]:
    allowed = config.limits.lost_frames
    for frames in material:
        if frames.verdicts is None:
            continue
        rows, missing = frames.lost
        count = int(missing.sum())
        text = f"{count} frames lost in {len(rows)} places, allowed {allowed}" if count else "none lost"
        first_s = float(frames.time_s[rows[0]]) if count else None
        yield judged("lost", frames.message.name, text, count, first_s, allowed=allowed, lost=count)
