"""The plot of a run: its channels as the plot engine's picture."""

from __future__ import annotations

from collections.abc import Sequence

from hil.recording.recorder import Channel, Mark, Recorder
from hil.report.panels import PANELS, Panel, present
from twinaxle.plot.bands import stretches
from twinaxle.plot.draw import draw_svg
from twinaxle.plot.picture import Band, Line, Picture, PictureMark
from twinaxle.plot.picture import Panel as PicturePanel


def plot_svg(
    recorder: Recorder,
    *,
    marks: Sequence[Mark] | None = None,
    panels: Sequence[Panel] = PANELS,
    states: Sequence[str] | None = None,
    title: str = "",
    ident: str = "plot",
    standalone: bool = True,
) -> str:
    """Draw a run.

    Args:
        recorder: the run; panels take the channels that it has.
        marks: events to draw; those of the recorder when not given.
        panels: what to draw, from top to bottom.
        states: channels with choices to draw as bands; all of them when not given.
        title: name of the picture for screen readers, and its headline when it stands alone.
        ident: prefix of ids; must differ between plots of one page.
        standalone: True for a file of its own (with style and background), False for a part of a page.

    Raises:
        ValueError: nothing was recorded.
    """
    if len(recorder) < 2:
        raise ValueError("a plot needs two recorded rows at least")
    table = recorder.table()
    columns = {channel.name: index for index, channel in enumerate(recorder.channels)}
    picture = Picture(
        recorder.start_ns / 1e9,
        recorder.period_ns / 1e9,
        len(recorder) - 1,
        bands=[
            Band(_label(channel), stretches(table[:, columns[channel.name]], channel.choices))
            for channel in recorder.channels
            if channel.choices and (states is None or channel.name in states)
        ],
        panels=[
            PicturePanel(
                panel.title,
                panel.unit,
                [
                    Line(
                        line.label,
                        line.role,
                        table[:, columns[line.channel]],
                        recorder.channel(line.channel).unit,
                        dashed=line.dashed,
                        is_limit=line.role == "limit",
                    )
                    for line in panel.lines
                ],
                panel.with_zero,
                panel.tall,
            )
            for panel in present(panels, recorder)
        ],
        marks=_marks(recorder, recorder.marks if marks is None else marks),
        title=title,
    )
    return draw_svg(picture, ident=ident, standalone=standalone)


def _label(channel: Channel) -> str:
    label = channel.label or channel.name
    return label[:1].upper() + label[1:]


def _marks(recorder: Recorder, marks: Sequence[Mark]) -> list[PictureMark]:
    return [
        PictureMark(
            (mark.time_ns - recorder.start_ns) / recorder.period_ns,
            mark.text,
            mark.kind,
            f"{mark.time_ns / 1e9:.3f} s: {mark.text}",
        )
        for mark in sorted(marks, key=lambda mark: mark.time_ns)
    ]
