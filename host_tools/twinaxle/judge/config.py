"""What the judge allows, and what it must be told because a DBC has no place for it: latency pairs, start values.

Where `powertrain.dbc` lies, `powertrain.judge.toml` beside it is taken when no other file is named:

    [limits]                     # any field of Limits
    jitter_percent = 20

    [start]                      # signals that a sender must begin with their GenSigStartValue
    signals = ["VcuInvFrontCommand.TorqueRequest", "VcuStatus.State"]

    [[latency]]
    name = "pedal to command"
    kind = "change"              # or "echo": the effect repeats the counter of the cause
    cause = "PedalsDriver.Apps1"
    effects = ["VcuInvFrontCommand.TorqueRequest", "VcuInvRearCommand.TorqueRequest"]
    effect_step = 0.5
    limits_ms = [[30, 12], [80, 15]]   # [up to this bus load in percent, milliseconds]; or one number
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from twinaxle.dbc.model import Database
from twinaxle.dbc.names import Place, find_signal, suggestion
from twinaxle.errors import UserError
from twinaxle.judge.stream import TIMEOUT_CYCLES

KINDS = ("change", "echo")


@dataclass(frozen=True)
class Limits:
    """Tolerances. Percentages of a cycle are of GenMsgCycleTime."""

    cycle_percent: float = 5.0
    """How far the mean cycle may be off; gaps that count as missing are left out."""
    jitter_percent: float = 30.0
    """How far a single cycle may be off ..."""
    jitter_ms: float = 3.0
    """... but so much is always allowed: what higher identifiers and one lower frame can hold a message up."""
    timeout_cycles: float = TIMEOUT_CYCLES
    """A gap of more cycles is one where a message has no RxTimeout."""
    edge_s: float = 1.0
    """A message that ends up to so much before the end of the log is not missing there."""
    load_percent: float = 80.0
    """Bus load in the worst window."""
    load_window_s: float = 0.1
    """Length of that window."""
    lost_frames: int = 0
    """Frames of a message that its counter may show to be lost."""
    error_frames: int = 0
    """Error frames on the bus."""


@dataclass(frozen=True)
class LatencyPair:
    """A cause and its effects; the first effect counts.

    kind "change": the cause's signal leaves a value that it has kept for `settle_s` by at least `cause_step`; the
    effect is the first frame after it in which a signal has moved by more than `effect_step` beyond its drift.
    With `effect_runs` a signal that is zero before the cause gives no answer: what stands by is woken first.
    "echo": the effect is the first frame with the counter value of the cause or a newer one. Steps are physical values
    of the signals; `limits_ms` has pairs of bus load in percent and limit in ms. An effect must come within `window_s`.
    """

    name: str
    kind: str
    cause: Place
    effects: tuple[Place, ...]
    limits_ms: tuple[tuple[float, float], ...]
    cause_step: float = 0.0
    effect_step: float = 0.0
    settle_s: float = 0.1
    window_s: float = 0.1
    effect_runs: bool = False

    def limit_ms(self, load_percent: float) -> float:
        """The limit at a bus load; above the last load given, the last limit."""
        return next((limit for load, limit in self.limits_ms if load_percent <= load), self.limits_ms[-1][1])


@dataclass(frozen=True)
class Config:
    """All that the rules go by besides the DBC.

    `without`: nodes that are not there, of whose messages none is asked. `allowed_ids`: keys (see `Message.key`) that
    may be on the bus without being in the DBC. `from_start`: the log begins before its senders do.
    """

    limits: Limits = field(default_factory=Limits)
    latency: tuple[LatencyPair, ...] = ()
    start: tuple[Place, ...] = ()
    bitrate: int = 500_000
    without: frozenset[str] = frozenset()
    allowed_ids: frozenset[int] = frozenset()
    from_start: bool = False


def default_file(dbc: Path) -> Path | None:
    """The judge's file beside a DBC, if there is one."""
    path = dbc.with_suffix(".judge.toml")
    return path if path.is_file() else None


def load_config(path: Path, database: Database) -> Config:
    """The configuration in a TOML file.

    Raises UserError with the file and what is wrong in it: unknown keys, names that the DBC does not have.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not TOML: {error}") from None
    try:
        _check_keys(data, ("limits", "start", "latency"))
        start = data.get("start", {})
        _check_keys(start, ("signals",))
        return Config(
            limits=with_limits(Limits(), data.get("limits", {})),
            latency=tuple(_pair(entry, database) for entry in data.get("latency", [])),
            start=tuple(find_signal(database, name) for name in start.get("signals", [])),
        )
    except (UserError, TypeError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None


def with_limits(limits: Limits, changes: dict[str, Any]) -> Limits:
    """The limits with some of them changed. Raises UserError for an unknown name or a value that is no number."""
    known = {item.name: type(getattr(limits, item.name)) for item in fields(Limits)}
    numbers = {}
    for name, value in changes.items():
        if name not in known:
            raise UserError(f"there is no limit {name}{suggestion(name, known) or '; there are ' + ', '.join(known)}")
        try:
            numbers[name] = known[name](value)
        except (TypeError, ValueError):
            raise UserError(f"limit {name} must be a number, not {value!r}") from None
        if not numbers[name] >= 0:
            raise UserError(f"limit {name} must be 0 or more, not {value!r}")
    return replace(limits, **numbers)


def parse_pair(text: str, database: Database) -> LatencyPair:
    """A pair from `CAUSE>EFFECT[,EFFECT...]:MILLISECONDS`, such as `PedalsDriver.Apps1>Command.TorqueRequest:12`.

    It is an echo if the cause is the counter of an E2E protection. Raises UserError.
    """
    head, colon, limit = text.rpartition(":")
    cause, arrow, effects = head.partition(">")
    if not (colon and arrow):
        raise UserError(f"latency {text!r}: write CAUSE>EFFECT:MILLISECONDS, such as Pedals.Travel>Command.Torque:12")
    place = find_signal(database, cause.strip())
    e2e = place.message.e2e
    kind = "echo" if e2e and place.signal.name == e2e.counter_signal else "change"
    entry = {
        "name": f"{cause.strip()} to {effects.strip()}",
        "kind": kind,
        "cause": cause.strip(),
        "effects": [name.strip() for name in effects.split(",")],
        "limits_ms": limit.strip(),
    }
    return _pair(entry, database)


def _pair(entry: dict[str, Any], database: Database) -> LatencyPair:
    names = [item.name for item in fields(LatencyPair)]
    _check_keys(entry, names)
    missing = [name for name in ("name", "kind", "cause", "effects", "limits_ms") if name not in entry]
    if missing:
        raise UserError(f"a latency pair lacks {', '.join(missing)}")
    if entry["kind"] not in KINDS:
        raise UserError(f"latency {entry['name']}: kind is {' or '.join(KINDS)}, not {entry['kind']!r}")
    effects = tuple(find_signal(database, name) for name in entry["effects"])
    if not effects:
        raise UserError(f"latency {entry['name']}: needs an effect")
    return LatencyPair(
        name=entry["name"],
        kind=entry["kind"],
        cause=find_signal(database, entry["cause"]),
        effects=effects,
        limits_ms=_limits_ms(entry["name"], entry["limits_ms"]),
        effect_runs=entry.get("effect_runs", False) is True,
        **{name: float(entry[name]) for name in names[5:-1] if name in entry},
    )


def _limits_ms(name: str, given: Any) -> tuple[tuple[float, float], ...]:
    try:
        pairs: Sequence[Any] = given if isinstance(given, list) else [[100, given]]
        return tuple(sorted((float(load), float(limit)) for load, limit in pairs))
    except (TypeError, ValueError):
        raise UserError(f"latency {name}: {given!r} is neither milliseconds nor [[load, milliseconds], ...]") from None


def _check_keys(table: dict[str, Any], known: Iterable[str]) -> None:
    known = list(known)
    for key in table:
        if key not in known:
            raise UserError(f"{key!r} is not known here{suggestion(key, known) or '; known: ' + ', '.join(known)}")
