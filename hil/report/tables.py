"""The tables of a report: measured values beside their limits, and the coverage of the requirements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape

from hil.judging.measure import Limit, Measurement
from hil.judging.names import title_of
from hil.report.coverage import STATUS_TEXT, Coverage, Evidence
from twinaxle.plot.scale import number, number_beside

_SHOWN_TESTS = 4
"""Tests of a requirement that are shown before the rest is folded away."""


def value_text(item: Measurement) -> str:
    """The value with its unit, with digits enough to tell it from its limits."""
    return _with_unit(number_beside(item.value, item.limit.minimum, item.limit.maximum), item.unit)


def limit_text(limit: Limit, unit: str) -> str:
    """The limit in signs: "≤ 100 ms", "4.559 … 4.841 s"; empty where nothing is asked."""
    low, high = limit.minimum, limit.maximum
    if low is not None and high is not None:
        return _with_unit(f"= {number(low)}" if low == high else f"{number(low)} … {number(high)}", unit)
    if high is not None:
        return _with_unit(f"≤ {number(high)}", unit)
    return "" if low is None else _with_unit(f"≥ {number(low)}", unit)


def deviation_text(item: Measurement) -> str:
    """The deviation from the published figure in percent, with its sign; empty without such a figure."""
    deviation = item.deviation_percent
    if deviation is None:
        return ""
    text = number(round(deviation, 1), 3)
    return f"{'+' if deviation > 0 and text != '0' else ''}{text}\u202f%"


def measured_table(groups: Iterable[tuple[str, str, Sequence[Measurement]]], covered: Collection[str] = ()) -> str:
    """All measurements; a group is a headline, the anchor that it links to ("" for none), and its measurements.

    Requirements in `covered` are linked to their row in the table of requirements.
    """
    body = []
    for title, anchor, items in groups:
        if items:
            name = f'<a href="#{escape(anchor)}">{escape(title)}</a>' if anchor else escape(title)
            body.append(f'<tr class="group"><th colspan="8" scope="rowgroup">{name}</th></tr>')
            body.extend(_measured_row(item, covered) for item in items)
    return (
        '<table class="measured"><thead><tr><th>Measured</th><th class="n">Value</th><th class="n">Limit</th>'
        '<th>Within limits</th><th class="n">Published</th><th class="n">Deviation</th><th>Requirement</th>'
        "<th>Result</th></tr></thead><tbody>" + "".join(body) + "</tbody></table>"
    )


def coverage_table(rows: Sequence[Coverage]) -> str:
    """The requirements with what verified them; buttons filter by status (by script)."""
    counts = {status: sum(row.status == status for row in rows) for status in STATUS_TEXT}
    buttons = [f'<button type="button" class="on" data-filter="all">all {len(rows)}</button>']
    buttons += [
        f'<button type="button" data-filter="{status}"><i class="dot {status}"></i>{text} {counts[status]}</button>'
        for status, text in STATUS_TEXT.items()
        if counts[status]
    ]
    body = []
    group = ""
    for row in rows:
        if row.requirement.group != group:
            group = row.requirement.group
            body.append(f'<tr class="group"><th colspan="4" scope="rowgroup">{escape(group)}</th></tr>')
        body.append(_coverage_row(row))
    return (
        f'<p class="filters">{"".join(buttons)}</p>'
        '<table class="coverage"><thead><tr><th>Id</th><th>Requirement</th><th>Status</th>'
        "<th>Verified by, measured beside limit</th></tr></thead><tbody>" + "".join(body) + "</tbody></table>"
    )


def chips(items: Iterable[Measurement]) -> str:
    """The measurements of one scenario in short, as a list."""
    parts = [
        f'<li class="{_verdict(item)}"><span>{escape(title_of(item.name))}</span> <b>{escape(value_text(item))}</b>'
        f" <small>{escape(limit_text(item.limit, item.unit))}</small></li>"
        for item in items
    ]
    return f'<ul class="chips">{"".join(parts)}</ul>' if parts else ""


def gauge(item: Measurement) -> str:
    """A small drawing: the allowed range, the published figure as a tick, the value as a dot. "" without a limit."""
    low, high = item.limit.minimum, item.limit.maximum
    if low is None and high is None:
        return ""
    if low is not None and high is not None:
        margin = (high - low) * 0.4 or abs(high) * 0.1 or 1.0
        left, right = low - margin, high + margin
    elif high is not None:
        span = high if high > 0.0 else max(abs(high), abs(item.value), 1.0)
        left, right = high - span, high + 0.25 * span
    else:
        assert low is not None
        span = low if low > 0.0 else max(abs(low), abs(item.value), 1.0)
        left, right = low - span, low + 0.6 * span

    def x(value: float) -> float:
        return min(118.0, max(2.0, 4 + 112 * (value - left) / (right - left)))

    zone_left = 0.0 if low is None else x(low)
    zone_right = 120.0 if high is None else x(high)
    tick = "" if item.published is None else f'<path class="published" d="M{x(item.published):.1f} 1v12"/>'
    dot = "" if item.value != item.value else f'<circle cx="{x(item.value):.1f}" cy="7" r="4"/>'
    return (
        f'<svg class="gauge {_verdict(item)}" viewBox="0 0 120 14" width="120" height="14" aria-hidden="true">'
        f'<rect class="track" y="4" width="120" height="6" rx="3"/>'
        f'<rect class="zone" x="{zone_left:.1f}" y="4" width="{zone_right - zone_left:.1f}" height="6"/>'
        f"{tick}{dot}</svg>"
    )


def _measured_row(item: Measurement, covered: Collection[str]) -> str:
    when = "" if item.time_s is None else f' title="at {item.time_s:.3f} s"'
    comment = f"<small>{escape(item.comment)}</small>" if item.comment else ""
    source = f' title="{escape(item.source)}"' if item.source else ""
    published = "" if item.published is None else _with_unit(number(item.published), item.unit)
    result = {"pass": "✓ pass", "fail": "✗ fail", "info": "–"}[_verdict(item)]
    reqs = " ".join(_req(req_id, req_id in covered) for req_id in item.req)
    return (
        f'<tr class="{_verdict(item)}"><td{when}>{escape(title_of(item.name))}{comment}</td>'
        f'<td class="n value">{escape(value_text(item))}</td>'
        f'<td class="n">{escape(limit_text(item.limit, item.unit))}</td><td>{gauge(item)}</td>'
        f'<td class="n"{source}>{escape(published)}</td><td class="n">{escape(deviation_text(item))}</td>'
        f'<td>{reqs}</td><td class="result">{result}</td></tr>'
    )


def _req(req_id: str, linked: bool) -> str:
    name = escape(req_id)
    return f'<a class="req" href="#{name}">{name}</a>' if linked else f'<span class="req">{name}</span>'


def _coverage_row(row: Coverage) -> str:
    requirement = row.requirement
    tests = [_evidence(item, requirement.req_id) for item in row.evidence]
    shown = "".join(tests[:_SHOWN_TESTS])
    if tests[_SHOWN_TESTS:]:
        rest = "".join(tests[_SHOWN_TESTS:])
        shown += f"<details><summary>{len(tests) - _SHOWN_TESTS} more</summary>{rest}</details>"
    return (
        f'<tr id="{requirement.req_id}" class="{row.status}" data-status="{row.status}"><td class="id">'
        f'{requirement.req_id}</td><td>{escape(requirement.text)}</td><td class="status">'
        f'<i class="dot {row.status}"></i>{STATUS_TEXT[row.status]}</td><td>{shown}</td></tr>'
    )


def _evidence(item: Evidence, req_id: str) -> str:
    sign = {"passed": "✓", "failed": "✗", "skipped": "–"}[item.outcome]
    name = escape(item.name)
    if item.report is not None:
        name = f'<a href="{escape(item.report.as_posix())}">{name}</a>'
    values = "".join(
        f'<span class="beside {_verdict(found)}">{escape(title_of(found.name))} <b>{escape(value_text(found))}</b>'
        f" {escape(limit_text(found.limit, found.unit))}</span>"
        for found in item.measured(req_id)
    )
    return f'<div class="test {item.outcome}"><span class="sign">{sign}</span> {name}{values}</div>'


def _verdict(item: Measurement) -> str:
    return "info" if item.passed is None else "pass" if item.passed else "fail"


def _with_unit(text: str, unit: str) -> str:
    return f"{text}\u202f{unit}" if unit else text
