"""Rules on when frames come."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twinaxle.dbc.model import Message
from twinaxle.judge.config import Config
from twinaxle.judge.material import Material, MessageFrames
from twinaxle.judge.result import Check, judged
from twinaxle.judge.stream import receive_timeout_s
from twinaxle.logs.frames import Mask


def _is_asked(message: Message, config: Config) -> bool:
    """Whether the message must come: not if all its senders are away."""
    return message.is_cyclic and not (message.senders and config.without.issuperset(message.senders))


def presence(material: Material, config: Config) -> Iterator[Check]:
    for message in material.database.messages.values():
        # In a log that is shorter than its cycle a message need not be there.
        if not _is_asked(message, config) or material.end_s < 2e-3 * message.cycle_ms:
            continue
        frames = material.messages.get(message.name)
        sender = f" from {message.sender}" if message.sender else ""
        text = f"{len(frames)} frames" if frames else f"no frame{sender}, cycle {message.cycle_ms} ms"
        yield judged("presence", message.name, text, 0 if frames else 1, 0.0, frames=len(frames) if frames else 0)


def _regular(material: Material, config: Config) -> Iterator[tuple[MessageFrames, Mask]]:
    """The purely cyclic messages, and which of their cycles count: all but the gaps that `missing` sees."""
    for frames in material:
        limit_s = receive_timeout_s(frames.message, config.limits.timeout_cycles)
        if frames.message.is_purely_cyclic and limit_s is not None:
            counts: Mask = frames.cycles_s <= limit_s
            if counts.any():
                yield frames, counts


def cycle(material: Material, config: Config) -> Iterator[Check]:
    for frames, counts in _regular(material, config):
        asked_ms = frames.message.cycle_ms
        mean_ms = 1e3 * float(frames.cycles_s[counts].mean())
        allowed_ms = asked_ms * config.limits.cycle_percent / 100
        text = f"mean {mean_ms:.3f} ms, asked {asked_ms} ms +-{config.limits.cycle_percent:g} %"
        bad = abs(mean_ms - asked_ms) > allowed_ms
        yield judged("cycle", frames.message.name, text, int(bad), frames.time_s[0], mean_ms=mean_ms, asked_ms=asked_ms)


def jitter(material: Material, config: Config) -> Iterator[Check]:
    for frames, counts in _regular(material, config):
        asked_ms = frames.message.cycle_ms
        allowed_ms = max(config.limits.jitter_ms, asked_ms * config.limits.jitter_percent / 100)
        low_ms, high_ms = 1e3 * float(frames.cycles_s[counts].min()), 1e3 * float(frames.cycles_s[counts].max())
        off = counts & (np.abs(frames.cycles_s * 1e3 - asked_ms) > allowed_ms)
        text = f"{low_ms:.3f} to {high_ms:.3f} ms, asked {asked_ms} +-{allowed_ms:g} ms"
        first_s = frames.first_s(np.concatenate([[False], off]))
        yield judged(
            "jitter", frames.message.name, text, int(np.count_nonzero(off)), first_s,
            min_ms=low_ms, max_ms=high_ms, allowed_ms=allowed_ms,
        )  # fmt: skip


def missing(material: Material, config: Config) -> Iterator[Check]:
    for frames in material:
        limit_s = receive_timeout_s(frames.message, config.limits.timeout_cycles)
        if limit_s is None or not frames.message.is_cyclic:
            continue
        times_s = frames.time_s[frames.usable]
        if not len(times_s):
            text = f"none of {len(frames)} frames is usable"
            yield judged("missing", frames.message.name, text, 1, float(frames.time_s[0]))
            continue
        # Before the first frame the sender may not have been there; after the last, others may have gone before it.
        tail_s = material.end_s - float(times_s[-1])
        ends_early = tail_s > max(limit_s, config.limits.edge_s)
        gaps_s = np.append(np.diff(times_s), tail_s if ends_early else 0.0)
        late = gaps_s > limit_s + 1e-9  # a frame just in time is in time, whatever the rounding
        longest = int(np.argmax(gaps_s))
        count = int(np.count_nonzero(late))
        text = f"longest gap {1e3 * gaps_s[longest]:.1f} ms, allowed {1e3 * limit_s:g} ms"
        if count:
            text = "gap of" if count == 1 else f"{count} gaps, the longest"
            text += f" {1e3 * gaps_s[longest]:.1f} ms after {times_s[longest]:.3f} s" + (
                " to the end" if ends_early and longest == len(times_s) - 1 else ""
            )
            text += f", allowed {1e3 * limit_s:g} ms"
        first_s = float(times_s[int(np.argmax(late))])
        yield judged(
            "missing", frames.message.name, text, count, first_s,
            longest_ms=1e3 * float(gaps_s[longest]), allowed_ms=1e3 * limit_s,
        )  # fmt: skip
