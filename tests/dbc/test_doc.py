"""`twinaxle dbc doc`: what the page says, its pictures, its load, both formats."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hil.bus.bits import INTERMISSION_BITS, frame_bits
from hil.bus.frame import Frame
from tests.dbc.lint.plants import GOOD
from twinaxle.cli import main
from twinaxle.dbc import doc, powertrain
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.doc import load
from twinaxle.dbc.doc.bits import layouts
from twinaxle.dbc.doc.page import BitLayout, Heading, Link, Page, Table
from twinaxle.dbc.syntax import Document, read_document, read_text
from twinaxle.paths import ROOT


@pytest.fixture(scope="module")
def document() -> Document:
    return read_document(POWERTRAIN)


@pytest.fixture(scope="module")
def page(document: Document) -> Page:
    return doc.page(document, "dbc/powertrain.dbc", powertrain().protocol_hash)


def rows_after(page: Page, heading: str) -> list[list[object]]:
    """The rows of the first table below a heading."""
    at = page.blocks.index(next(one for one in page.blocks if isinstance(one, Heading) and one.text == heading))
    return next(list(block.rows) for block in page.blocks[at:] if isinstance(block, Table))  # type: ignore[arg-type]


def test_committed_page_is_not_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbc", "doc", "-o", str(ROOT / "docs" / "protocol.md"), "--check"]) == 0, capsys.readouterr().out


def test_every_message_and_signal_is_told(page: Page) -> None:
    for message in powertrain().messages.values():
        rows = rows_after(page, message.name)
        assert [row[0] for row in rows] == [signal.name for signal in message.signals]
        for row, signal in zip(rows, message.signals, strict=True):
            assert row[1:3] == [str(signal.start), str(signal.length)]
            assert row[5] == (signal.unit or "-")
            assert row[6] == f"{signal.minimum:.10g} to {signal.maximum:.10g}"
            assert row[8:] == [", ".join(signal.receivers), signal.comment]


def test_index(page: Page) -> None:
    rows = rows_after(page, "Messages")
    assert rows[3][:6] == ["0x0A0", Link("PedalsDriver", "pedalsdriver"), "PEDALS", "10 ms", "8", "yes"]
    assert rows[-1][:6] == ["0x7E8", Link("DiagResponse", "diagresponse"), "VCU", "event", "8", "-"]
    identifiers = [str(row[0]) for row in rows]
    assert identifiers == sorted(identifiers) and len(rows) == len(powertrain().messages)


def test_values_and_start_values(page: Page) -> None:
    gear = next(row for row in rows_after(page, "PedalsDriver") if row[0] == "Gear")
    assert gear[7] == "Invalid (7)"
    temperature = next(row for row in rows_after(page, "InvFrontTemps") if row[0] == "TempStator")
    assert (temperature[4], temperature[7]) == ("x 1 - 40", "215")
    text = doc.markdown.render(page)
    assert "| Gear | 0 | P |\n|  | 1 | R |\n|  | 2 | N |\n|  | 3 | D |\n|  | 7 | Invalid |" in text


def test_matrix(page: Page) -> None:
    rows = rows_after(page, "Who sends and receives")
    command = next(row for row in rows if row[1] == Link("VcuInvFrontCommand", "vcuinvfrontcommand"))
    assert command[2:] == ["S", "r", "", "", "", "", "r"]


@pytest.mark.parametrize(("length", "extended"), [(length, extended) for length in range(9) for extended in (0, 1)])
def test_bounds_of_a_frame_hold_on_the_bit_exact_bus(length: int, extended: bool) -> None:
    """Frames full of equal bits come near the most stuff bits, alternating ones near the least."""
    least, most = load.frame_bits(length, bool(extended))
    identifiers = (0, 0x555, 0x2AA, 0x7FF) if not extended else (0, 0x15555555, 0x0AAAAAAA, 0x1FFFFFFF, 0x1E0F83E0)
    payloads = [bytes([byte]) * length for byte in (0x00, 0xFF, 0x55, 0xAA, 0x0F, 0x3C, 0x78, 0xF0)]
    lengths = [
        frame_bits(Frame(can_id, payload, bool(extended), False)) + INTERMISSION_BITS
        for can_id in identifiers
        for payload in payloads
    ]
    assert least <= min(lengths) and max(lengths) <= most
    assert min(lengths) - least <= 4, "the lower bound is far off"


def test_load(document: Document, page: Page) -> None:
    found = {one.message.name: one for one in load.loads(document)}
    assert "DiagRequest" not in found
    pedals = found["PedalsDriver"]
    assert (pedals.least_bits, pedals.most_bits) == (111, 135)
    assert pedals.share(135, 500_000) == pytest.approx(135 * 100 / 500_000)
    total = sum(one.share(one.most_bits, 500_000) for one in found.values())
    assert rows_after(page, "Bus load")[-1][-1] == f"{100 * total:.2f} %"


def bits_of(layout: BitLayout) -> dict[str, set[int]]:
    """The bits of each signal as the picture shows them."""
    bits: dict[str, set[int]] = {}
    for byte, row in enumerate(layout.rows):
        assert row[0].high == 7 and sum(segment.width for segment in row) == 8
        for segment in row:
            for signal in segment.signals:
                bits.setdefault(signal.name, set()).update(
                    8 * byte + bit for bit in range(segment.low, segment.high + 1)
                )
    return bits


@pytest.mark.parametrize("path", [POWERTRAIN, GOOD], ids=lambda path: path.name)
def test_pictures_show_all_bits(path: Path) -> None:
    for message in read_document(path).messages:
        shown = [bits_of(layout) for layout in layouts(message)]
        assert all(len(layout.rows) == message.line.length for layout in layouts(message))
        for signal in message.signals:
            assert set(signal.bits) in [bits.get(signal.name) for bits in shown]


def test_pictures_of_multiplexed_messages() -> None:
    messages = {message.name: message for message in read_document(GOOD).messages}
    log = {layout.title: set(bits_of(layout)) for layout in layouts(messages["Log"])}
    assert log == {
        "Kind = 1": {"Kind", "Sub"},
        "Kind = 1, Sub = 2/4-5": {"Kind", "Sub", "Number"},
        "Kind = 3": {"Kind", "Text"},
    }


def test_each_name_is_written_large_once() -> None:
    for message in read_document(POWERTRAIN).messages:
        [layout] = layouts(message)
        large = [
            signal.name for row in layout.rows for segment in row if segment.is_largest for signal in segment.signals
        ]
        assert sorted(large) == sorted(signal.name for signal in message.signals)


class Checker(HTMLParser):
    """Collects ids and links, and checks that tags close in order."""

    VOID = ("meta", "rect", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        self.ids += [str(values["id"])] if "id" in values else []
        link = values.get("href") or ""
        if link.startswith("#"):
            self.links.add(link[1:])
        elif link or values.get("src"):
            self.outside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_whole_and_needs_nothing_else(page: Page) -> None:
    checker = Checker()
    text = doc.html.render(page)
    checker.feed(text)
    assert checker.open == [] and checker.outside == [] and "url(" not in text
    assert len(checker.ids) == len(set(checker.ids))
    assert checker.links <= set(checker.ids)
    assert text.count("<svg ") == len(powertrain().messages)


def test_markdown_links_lead_to_headings(page: Page) -> None:
    text = doc.markdown.render(page)
    headings = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("##")}
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= headings


NASTY = """BU_: A B
BO_ 1 M: 8 A
 SG_ S : 0|8@1+ (1,0) [0|1] "<&|>" B
 SG_ T : 4|8@1+ (1,0) [0|1] "" B
CM_ BO_ 1 "a <script> | `b` *c* [d](e)
f";
VAL_ 1 S 0 "x|y" 1 "<b>";
"""


def test_text_of_the_file_stays_text() -> None:
    page = doc.page(read_text(NASTY.encode()), "nasty.dbc")
    html, markdown = doc.html.render(page), doc.markdown.render(page)
    assert "<script>" not in html and "&lt;script&gt;" in html and "&lt;b&gt;" in html and "&lt;&amp;|&gt;" in html
    assert r"a \<script\> \| \`b\` \*c\* \[d\](e) f" in markdown
    assert r"| 0 | x\|y |" in markdown
    assert "S / T" in markdown, "overlapping signals are shown as such"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"BO_ 1 M: 0 A\n",
        b'BO_ 1 M: 64 A\n SG_ S : 600|9@0+ (0,0) [0|0] "" B\n',
        b"BO_ 1 M: 999999999 A\n",
        b"\xff\x00",
    ],
)
def test_any_file_gives_a_page(raw: bytes) -> None:
    page = doc.page(read_text(raw), "any.dbc")
    assert doc.html.render(page) and doc.markdown.render(page)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out" / "page.html"
    assert main(["dbc", "doc", str(GOOD), "-o", str(output), "--bitrate", "250000"]) == 0
    text = output.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and "250 kbit/s" in text
    assert main(["dbc", "doc", str(GOOD), "-o", str(output), "--bitrate", "250000", "--check"]) == 0
    capsys.readouterr()
    assert main(["dbc", "doc", str(GOOD), "-o", str(output), "--check"]) == 1
    assert "page.html: stale" in capsys.readouterr().out
    assert main(["dbc", "doc", str(GOOD)]) == 0
    assert capsys.readouterr().out.startswith("<!-- Generated from")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.dbc"], "gone.dbc: cannot read the DBC"),
        (["--check"], "--check needs -o OUT"),
        (["--bitrate", "0"], "the bit rate must be above 0"),
    ],
)
def test_user_errors(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbc", "doc", *arguments]) == 2
    assert message in capsys.readouterr().err
