"""The report page: well formed, self-contained, complete, the same bytes each time."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hil.judging.measure import Measurements
from hil.judging.requirements import requirements
from hil.recording.recorder import Recorder
from hil.report import Report, coverage, evidence_of

VOID = {"meta", "br", "hr", "img", "link", "input"}
LOADING = {"src", "srcset", "data", "poster", "action", "background"}


class Checker(HTMLParser):
    """Collects what a browser would load, ids, and tags that don't match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.errors: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._attributes(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key in LOADING or (key == "href" and tag != "a"):
                self.loads.append(f"{tag} {key}={value}")
            elif key == "href":
                self.links.append(value or "")
            elif key == "id":
                self.ids.append(value or "")


@pytest.fixture
def page(run: Recorder, measured: Measurements, tmp_path: Path) -> str:
    report = Report("Demo <1>", {"Seed": 7, "Target": "virtual & real"})
    report.add_highlight(next(iter(measured)), "0-100 km/h")
    log = tmp_path / "run" / "bus.blf"
    report.add_scenario("Start & go", run, measurements=measured, text="One.\n\nTwo <b>.", files={"Bus log": log})
    report.add_scenario("Values only", None, measurements=measured)
    report.add_scenario("Again", run)
    report.set_coverage(coverage(requirements(), evidence_of("Start & go", measured)))
    report.write(tmp_path / "out" / "report.html")
    return (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def parsed(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    return checker


@pytest.mark.req("HB-05")
def test_the_page_is_well_formed(parsed: Checker) -> None:
    assert parsed.errors == []
    assert parsed.open == []
    assert len(set(parsed.ids)) == len(parsed.ids)


@pytest.mark.req("HB-05")
def test_the_page_loads_nothing(page: str, parsed: Checker) -> None:
    assert parsed.loads == []
    assert set(re.findall(r"https?://[^\"' )<]+", page)) == {"http://www.w3.org/2000/svg"}  # a name, never fetched
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|import\(", page)


def test_links_inside_the_page_lead_somewhere(parsed: Checker) -> None:
    inside = {link[1:] for link in parsed.links if link.startswith("#")}
    assert inside
    assert inside <= set(parsed.ids)
    assert [link for link in parsed.links if not link.startswith("#")] == ["../run/bus.blf"]


def test_clip_paths_exist(page: str, parsed: Checker) -> None:
    used = set(re.findall(r"url\(#([^)]+)\)", page))
    assert used
    assert used <= set(parsed.ids)


def test_values_limits_and_published_figures_are_shown(page: str, parsed: Checker) -> None:
    text = "".join(parsed.text).replace("\u202f", " ")
    for expected in (
        "Demo <1>",
        "virtual & real",
        "4.66 s",
        "4.559 … 4.841 s",
        "4.7 s",
        "−0.9 %",
        "≤ 100 ms",
        "✗ fail",
    ):
        assert expected in text
    assert "104.2 ms" in text
    assert "Two <b>." in text
    assert "2 of 8 values outside their limits" in text
    assert "<b>." not in page


def test_every_requirement_is_listed_with_its_status(page: str) -> None:
    rows = dict(re.findall(r'<tr id="([A-Z]{2}-\d\d)" class="(\w+)"', page))
    assert list(rows) == list(requirements())
    assert rows["SF-05"] == "failed"
    assert rows["HB-02"] == ("verified" if requirements()["HB-02"].claimed else "extra")
    assert rows["SM-01"] == ("open" if requirements()["SM-01"].claimed else "unclaimed")


def test_same_input_same_bytes(run: Recorder, measured: Measurements, tmp_path: Path) -> None:
    pages = []
    for _ in range(2):
        report = Report("Demo", {"Seed": 7})
        report.add_scenario("Start", run, measurements=measured)
        pages.append(report.html(tmp_path))
    assert pages[0] == pages[1]


def test_two_scenarios_of_one_name_are_refused(run: Recorder) -> None:
    report = Report("Demo", {})
    report.add_scenario("Start", run)
    with pytest.raises(ValueError, match="'Start' is in the report already"):
        report.add_scenario("Start", run)


def test_verdict_of_the_headline(tmp_path: Path, measured: Measurements) -> None:
    report = Report("Demo", {})
    assert "nothing measured against a limit" in report.html(tmp_path)
    report.add_scenario("Good", None, measurements=[item for item in measured if item.passed])
    assert "all 3 values within limits" in report.html(tmp_path)
    report.set_verdict("fail", "2 tests failed")
    assert "all 3 values" not in report.html(tmp_path)
    assert "2 tests failed" in report.html(tmp_path)
