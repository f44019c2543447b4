"""The report of a run as one HTML file that needs nothing else: style, script and pictures are inside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from os.path import relpath
from pathlib import Path
from typing import Literal

from hil.judging.measure import Measurement
from hil.recording.recorder import Mark, Recorder
from hil.report.coverage import Coverage
from hil.report.panels import PANELS, Panel
from hil.report.plot import plot_svg
from hil.report.tables import chips, coverage_table, deviation_text, limit_text, measured_table, value_text
from twinaxle.plot.draw import plot_css, plot_script

_HERE = Path(__file__).parent
Verdict = Literal["pass", "fail", "info"]


@dataclass(frozen=True)
class Tile:
    """A figure at the top of the report."""

    label: str
    value: str
    note: str = ""
    verdict: Verdict = "info"


@dataclass
class _Scenario:
    name: str
    anchor: str
    recorder: Recorder | None
    marks: Sequence[Mark]
    measurements: Sequence[Measurement]
    text: str
    panels: Sequence[Panel]
    states: Sequence[str] | None
    files: Mapping[str, Path] = field(default_factory=dict)


class Report:
    """Collects scenarios and writes them as a page.

    `title` is the headline, `meta` what the run was made with (seed, target, hashes, versions), shown as it is.
    The page is a function of what it is given: no clock, no random ids.
    """

    def __init__(self, title: str, meta: Mapping[str, object]) -> None:
        self._title = title
        self._meta = dict(meta)
        self._tiles: list[Tile] = []
        self._scenarios: list[_Scenario] = []
        self._coverage: tuple[str, Sequence[Coverage]] | None = None
        self._verdict: tuple[Verdict, str] | None = None

    def set_verdict(self, verdict: Verdict, text: str) -> None:
        """Say in the headline how the run ended; without this it says how many values are within their limits."""
        self._verdict = (verdict, text)

    def add_tile(self, label: str, value: str, note: str = "", verdict: Verdict = "info") -> None:
        """Put a figure at the top."""
        self._tiles.append(Tile(label, value, note, verdict))

    def add_highlight(self, item: Measurement, label: str) -> None:
        """Put a measurement at the top, with its limit or the published figure beneath."""
        note = limit_text(item.limit, item.unit)
        if item.published is not None:
            note = f"published {item.published:.6g} {item.unit}, {deviation_text(item) or 'no deviation'}"
        verdict: Verdict = "info" if item.passed is None else "pass" if item.passed else "fail"
        self.add_tile(label, value_text(item), note, verdict)

    def add_scenario(
        self,
        name: str,
        recorder: Recorder | None,
        marks: Sequence[Mark] | None = None,
        measurements: Iterable[Measurement] = (),
        text: str = "",
        *,
        panels: Sequence[Panel] = PANELS,
        states: Sequence[str] | None = None,
        files: Mapping[str, Path] | None = None,
    ) -> None:
        """Add a run.

        Args:
            name: headline; must differ between scenarios.
            recorder: the run's time series; None for measurements without a plot.
            marks: events to draw; those of the recorder when not given.
            measurements: what was measured in it.
            text: what happens and what to look at, a paragraph or several parted by an empty line.
            panels, states: what to plot, as for `plot_svg`.
            files: files beside the report to link to, by label ("Bus log (BLF)").

        Raises:
            ValueError: the name is taken.
        """
        if any(known.name == name for known in self._scenarios):
            raise ValueError(f"scenario {name!r} is in the report already")
        if marks is None:
            marks = recorder.marks if recorder is not None else ()
        anchor = f"s{len(self._scenarios) + 1}-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}"
        self._scenarios.append(
            _Scenario(name, anchor, recorder, marks, tuple(measurements), text, panels, states, dict(files or {}))
        )

    def set_coverage(self, rows: Sequence[Coverage], text: str = "") -> None:
        """Show the coverage of the requirements at the end, after a paragraph of text."""
        self._coverage = (text, rows)

    def write(self, path: Path) -> None:
        """Write the page; folders are made. Links to files are relative to it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html(path.parent), encoding="utf-8", newline="\n")

    def html(self, folder: Path) -> str:
        """The page as text; `folder` is where it will lie."""
        style = plot_css() + (_HERE / "page.css").read_text(encoding="utf-8")
        script = plot_script() + (_HERE / "page.js").read_text(encoding="utf-8")
        parts = [self._header(), self._measured()]
        parts += [self._section(scenario, folder) for scenario in self._scenarios if _has_body(scenario)]
        if self._coverage is not None:
            text, rows = self._coverage
            parts.append(
                f'<section id="coverage"><h2>Requirements</h2>{_paragraphs(text)}{coverage_table(rows)}</section>'
            )
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"/><meta name="color-scheme"'
            f' content="light dark"/><title>{escape(self._title)}</title>\n<style>{style}</style></head>\n<body>'
            + "\n".join(parts)
            + f"\n<script>{script}</script></body></html>\n"
        )

    def _header(self) -> str:
        verdict, text = self._verdict or self._counted()
        meta = "".join(
            f"<div><dt>{escape(key)}</dt><dd>{escape(str(value))}</dd></div>" for key, value in self._meta.items()
        )
        tiles = "".join(
            f'<div class="tile {tile.verdict}"><span>{escape(tile.label)}</span><b>{escape(tile.value)}</b>'
            f"<small>{escape(tile.note)}</small></div>"
            for tile in self._tiles
        )
        links = [(scenario.anchor, scenario.name) for scenario in self._scenarios if _has_body(scenario)]
        links = [("measured", "Measured values")] * any(scenario.measurements for scenario in self._scenarios) + links
        links += [("coverage", "Requirements")] * (self._coverage is not None)
        nav = "".join(f'<a href="#{anchor}">{escape(name)}</a>' for anchor, name in links)
        return (
            f'<header><h1>{escape(self._title)}<span class="verdict {verdict}">{text}</span></h1>'
            f'<dl class="meta">{meta}</dl></header><nav>{nav}</nav>'
            + (f'<div class="tiles">{tiles}</div>' if tiles else "")
        )

    def _counted(self) -> tuple[Verdict, str]:
        items = [item for scenario in self._scenarios for item in scenario.measurements if item.passed is not None]
        failed = sum(not item.passed for item in items)
        if not items:
            return "info", "nothing measured against a limit"
        if failed:
            return "fail", f"{failed} of {len(items)} values outside their limits"
        return "pass", f"{_all_of(len(items))} within limits"

    def _measured(self) -> str:
        groups = [
            (scenario.name, scenario.anchor if _has_body(scenario) else "", scenario.measurements)
            for scenario in self._scenarios
        ]
        if not any(items for _, _, items in groups):
            return ""
        covered = {row.requirement.req_id for row in self._coverage[1]} if self._coverage else set()
        return f'<section id="measured"><h2>Measured values</h2>{measured_table(groups, covered)}</section>'

    def _section(self, scenario: _Scenario, folder: Path) -> str:
        files = "".join(
            f'<a href="{escape(Path(relpath(file, folder)).as_posix())}">{escape(label)}</a>'
            for label, file in scenario.files.items()
        )
        plot = ""
        if scenario.recorder is not None and len(scenario.recorder) > 1:
            drawing = plot_svg(
                scenario.recorder,
                marks=scenario.marks,
                panels=scenario.panels,
                states=scenario.states,
                title=scenario.name,
                ident=scenario.anchor,
                standalone=False,
            )
            plot = (
                f'<figure>{drawing}<figcaption class="screen">Move over the plot to read all values, drag to zoom in,'
                " double click to zoom out.</figcaption></figure>"
            )
        marks = "".join(
            f'<tr><td class="n">{mark.time_ns / 1e9:.3f}\u202fs</td><td><i class="dot {mark.kind}"></i>{mark.kind}</td>'
            f"<td>{escape(mark.text)}</td></tr>"
            for mark in sorted(scenario.marks, key=lambda mark: mark.time_ns)
        )
        if marks:
            marks = f"<details><summary>{len(scenario.marks)} events</summary><table>{marks}</table></details>"
        return (
            f'<section id="{scenario.anchor}"><h2>{escape(scenario.name)}</h2>{_paragraphs(scenario.text)}'
            f"{chips(scenario.measurements)}{plot}{marks}"
            + (f'<p class="files">{files}</p>' if files else "")
            + "</section>"
        )


def _has_body(scenario: _Scenario) -> bool:
    return bool(scenario.recorder is not None or scenario.text or scenario.files)


def _all_of(count: int) -> str:
    return "the one value" if count == 1 else f"all {count} values"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part.strip())}</p>" for part in text.split("\n\n") if part.strip())
