"""Measured values against limits: what a run found, what was allowed, which requirements ask for it.

A value outside its limit is recorded first and then fails the test, so that the report shows it.
Records of one run are kept as JSON lines, one measurement a line, so that runs of parallel workers can be merged.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.judging.names import unit_of
from hil.judging.requirements import check_ids
from twinaxle.errors import UserError

FILE_NAME = "measurements.jsonl"
"""Name of the record in the folder of a run."""


@dataclass(frozen=True)
class Limit:
    """Allowed range, both ends included, in the unit of the measurement; None is open."""

    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        for bound in (self.minimum, self.maximum):
            if bound is not None and not math.isfinite(bound):
                raise ValueError(f"a limit must be a finite number, not {bound}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"limit from {self.minimum} to {self.maximum} allows nothing")

    @property
    def is_open(self) -> bool:
        """True when nothing is asked of the value."""
        return self.minimum is None and self.maximum is None

    def allows(self, value: float) -> bool:
        """Whether `value` lies within; NaN and infinities never do, but where nothing is asked."""
        if self.is_open:
            return True
        if not math.isfinite(value):
            return False
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True)
class Measurement:
    """One measured value.

    `published` is the figure of the real car in the same unit, `source` where that or the limit comes from,
    `time_s` the virtual time of the measurement. `passed` is None for a value of which nothing is asked.
    """

    name: str
    value: float
    unit: str
    limit: Limit
    req: tuple[str, ...]
    passed: bool | None
    published: float | None = None
    tolerance_percent: float | None = None
    source: str = ""
    comment: str = ""
    time_s: float | None = None

    @property
    def deviation_percent(self) -> float | None:
        """How far the value is from the published figure, in percent of the latter."""
        if not self.published:
            return None
        return 100.0 * (self.value - self.published) / abs(self.published)


class Measurements:
    """The measurements of one run, in the order in which they were made.

    `clock_s` gives the virtual time in seconds for measurements that name none.
    """

    def __init__(self, clock_s: Callable[[], float] | None = None) -> None:
        self._clock_s = clock_s
        self._items: list[Measurement] = []

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def failed(self) -> list[Measurement]:
        """Those outside their limits."""
        return [item for item in self._items if item.passed is False]

    def add(self, measurement: Measurement) -> None:
        """Take a measurement as it is; it does not raise."""
        self._items.append(measurement)

    def measure(
        self,
        name: str,
        value: float,
        limit: float | None = None,
        *,
        at_least: float | None = None,
        within: tuple[float, float] | None = None,
        published: float | None = None,
        tolerance_percent: float | None = None,
        req: str | Iterable[str] = (),
        unit: str | None = None,
        source: str = "",
        comment: str = "",
        time_s: float | None = None,
    ) -> Measurement:
        """Record a value and check it against its limits; several limits hold together.

        Args:
            name: identifier with the unit as suffix, such as "fault_to_zero_ms".
            value: the measured value.
            limit: at most this.
            at_least: at least this.
            within: from and to, both included.
            published: figure of the real car; alone it is only shown beside ours.
            tolerance_percent: allowed distance from `published`, in percent of it.
            req: ids of the requirements that ask for this.
            unit: as shown; taken from the suffix of `name` when not given.
            source: where the published figure or the limit comes from.
            comment: one line for the reader of the report.
            time_s: virtual time of the measurement; the clock of the run when not given.

        Raises:
            AssertionError: the value is outside its limits (it is recorded all the same).
            ValueError: no limit at all (use `note` for values of which nothing is asked), or limits that allow nothing.
            UserError: an unknown requirement id.
        """
        bounds = _combined(name, limit, at_least, within, published, tolerance_percent)
        if bounds.is_open:
            raise ValueError(f"measure({name!r}): no limit given; use note() for a value of which nothing is asked")
        found = float(value)
        item = Measurement(
            name=name,
            value=found,
            unit=unit_of(name) if unit is None else unit,
            limit=bounds,
            req=_ids(name, req),
            passed=bounds.allows(found),
            published=published,
            tolerance_percent=tolerance_percent,
            source=source,
            comment=comment,
            time_s=self._time_s(time_s),
        )
        self._items.append(item)
        if not item.passed:
            raise AssertionError(failure_text(item))
        return item

    def note(
        self,
        name: str,
        value: float,
        *,
        published: float | None = None,
        req: str | Iterable[str] = (),
        unit: str | None = None,
        source: str = "",
        comment: str = "",
        time_s: float | None = None,
    ) -> Measurement:
        """Record a value of which nothing is asked; arguments as for `measure`."""
        item = Measurement(
            name=name,
            value=float(value),
            unit=unit_of(name) if unit is None else unit,
            limit=Limit(),
            req=_ids(name, req),
            passed=None,
            published=published,
            source=source,
            comment=comment,
            time_s=self._time_s(time_s),
        )
        self._items.append(item)
        return item

    def write(self, path: Path) -> None:
        """Write all measurements as JSON lines, replacing the file; folders are made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(to_json(item) + "\n" for item in self._items), encoding="utf-8", newline="\n")

    def _time_s(self, time_s: float | None) -> float | None:
        if time_s is None and self._clock_s is not None:
            return self._clock_s()
        return time_s


def read_measurements(path: Path) -> list[Measurement]:
    """Read a record that `Measurements.write` wrote.

    Raises:
        UserError: the file is missing or a line is not a measurement; the message names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot read the measurements: {error.strerror}") from error
    items = []
    for number, line in enumerate(lines, 1):
        try:
            items.append(from_json(line))
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{path}:{number}: not a measurement: {error}; delete the file and run again") from error
    return items


def to_json(item: Measurement) -> str:
    """One line of JSON; non-finite values are written as strings, since JSON has no number for them."""
    data: dict[str, Any] = asdict(item)
    if not math.isfinite(item.value):
        data["value"] = str(item.value)
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> Measurement:
    """The inverse of `to_json`.

    Raises:
        ValueError, TypeError, KeyError: not such a line.
    """
    data = json.loads(line)
    data["value"] = float(data["value"])
    data["limit"] = Limit(**data["limit"])
    data["req"] = tuple(data["req"])
    return Measurement(**data)


def failure_text(item: Measurement) -> str:
    """What a failed test says: value, limit, requirements and the published figure."""
    unit = f" {item.unit}" if item.unit else ""
    asked = f" ({', '.join(item.req)})" if item.req else ""
    text = f"{item.name} = {item.value:.6g}{unit}, allowed is {limit_text(item.limit, item.unit)}{asked}"
    if item.published is not None:
        text += f"; published: {item.published:.6g}{unit}"
    return text + (f"; {item.comment}" if item.comment else "")


def limit_text(limit: Limit, unit: str = "") -> str:
    """The limit in words, such as "at most 100 ms" or "4.559 to 4.841 s"; empty where nothing is asked."""
    tail = f" {unit}" if unit else ""
    if limit.minimum is not None and limit.maximum is not None:
        if limit.minimum == limit.maximum:
            return f"exactly {limit.minimum:.6g}{tail}"
        return f"{limit.minimum:.6g} to {limit.maximum:.6g}{tail}"
    if limit.maximum is not None:
        return f"at most {limit.maximum:.6g}{tail}"
    if limit.minimum is not None:
        return f"at least {limit.minimum:.6g}{tail}"
    return ""


def _ids(name: str, req: str | Iterable[str]) -> tuple[str, ...]:
    return check_ids((req,) if isinstance(req, str) else req, f"measurement {name}")


def _combined(
    name: str,
    limit: float | None,
    at_least: float | None,
    within: tuple[float, float] | None,
    published: float | None,
    tolerance_percent: float | None,
) -> Limit:
    lows = [at_least]
    highs = [limit]
    if within is not None:
        lows.append(within[0])
        highs.append(within[1])
    if tolerance_percent is not None:
        if published is None:
            raise ValueError(f"measure({name!r}): tolerance_percent needs a published figure")
        margin = abs(published) * tolerance_percent / 100.0
        lows.append(published - margin)
        highs.append(published + margin)
    given_lows = [low for low in lows if low is not None]
    given_highs = [high for high in highs if high is not None]
    return Limit(max(given_lows, default=None), min(given_highs, default=None))
