"""pytest plugin: options, the `bench` fixtures, the requirement marker, the report of a session.

Comes with the package, so `pytest` knows `--target`, `--seed` and `--trace-folder` wherever twinaxle is installed.

A session that asks for it by `--requirements` fails when a claimed requirement has no passing test, and leaves
`build/test-report.html`: which test verified which requirement, with the measured value beside the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hil.bench import Bench

BenchFactory = Callable[..., "Bench"]

REPORT = Path("build/test-report.html")
_RESULTS = pytest.StashKey[Any]()
"""The session's `SessionResults`; not imported here, since every pytest start would pay for it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("twinaxle", "twinaxle bench")
    group.addoption(
        "--target", default="virtual",
        help="what runs the firmware: virtual (default), or a board on a python-can bus as "
        "INTERFACE:CHANNEL[,KEY=VALUE...], such as pcan:PCAN_USBBUS1,bitrate=500000",
    )  # fmt: skip
    group.addoption("--reset-command", metavar="COMMAND", help="resets the board of such a target before each run")
    group.addoption("--bench-speed", type=float, default=1.0, help="bench time over wall time of such a target")
    group.addoption("--seed", type=int, default=1, help="seed of every bench run (default: 1)")
    group.addoption(
        "--trace-folder", type=Path, default=None, metavar="FOLDER", help="leave the logs of all runs in this folder"
    )
    group.addoption("--requirements", action="store_true", help="fail if a claimed requirement has no passing test")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "req(id, ...): the test verifies these requirements")
    trace_folder = config.getoption("--trace-folder")
    if trace_folder is not None:
        from hil.workshop import make_folder
        from twinaxle.errors import UserError

        try:
            make_folder(trace_folder)
        except UserError as error:
            raise pytest.UsageError(f"--trace-folder: {error}") from None
    if config.getoption("--requirements") and not hasattr(config, "workerinput"):
        from hil.report.collect import SessionResults

        config.stash[_RESULTS] = SessionResults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hand the ids on to the reports; a misspelt one is an error, not a hole in the coverage."""
    for item in items:
        for marker in item.iter_markers("req"):
            from hil.judging.requirements import check_ids

            item.user_properties += [("req", req_id) for req_id in check_ids(marker.args, item.nodeid)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if _config is not None and _RESULTS in _config.stash:
        _config.stash[_RESULTS].add_report(report)


_config: pytest.Config | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    global _config
    _config = session.config


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if _RESULTS not in config.stash:
        return
    from hil.judging.requirements import requirements
    from hil.report.collect import write_session_report

    meta = {"seed": config.getoption("--seed"), "target": config.getoption("--target")}
    path = config.rootpath / REPORT
    missing = write_session_report(path, requirements(), config.stash[_RESULTS].evidence(), meta)
    config.stash[_MISSING] = missing
    if missing and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_MISSING = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _MISSING not in config.stash:
        return
    terminalreporter.write_line(f"requirements: {config.rootpath / REPORT}")
    missing = config.stash[_MISSING]
    if missing:
        terminalreporter.write_line(f"claimed, but without a passing test: {', '.join(missing)}", red=True)


@pytest.fixture
def new_bench(request: pytest.FixtureRequest) -> Iterator[BenchFactory]:
    """Makes benches with the session's target and seed: `new_bench(tick_cost_us=900)`. They end with the test.

    A bench that passed the test but not the oracle's verdict fails it in the tear-down.
    """
    from hil.bench import Bench
    from hil.report.junit import junit_properties
    from hil.workshop import run_folder

    option = request.config.getoption
    benches: list[Bench] = []

    def make(**options: Any) -> Bench:
        name = request.node.nodeid.split("/")[-1] + (f"-{len(benches) + 1}" if benches else "")
        options.setdefault("seed", option("--seed"))
        options.setdefault("target", option("--target"))
        options.setdefault("reset_command", option("--reset-command"))
        options.setdefault("speed", option("--bench-speed"))
        options.setdefault("name", name)
        bench = Bench(folder=run_folder(name, option("--trace-folder")), **options)
        benches.append(bench)
        bench.begin()
        return bench

    yield make
    failed = getattr(request.node, "failed_in_call", False)
    wrong: list[AssertionError] = []
    for bench in benches:
        try:
            bench.end(judge=not failed)
        except AssertionError as error:
            wrong.append(error)
        request.node.user_properties.append(("run_folder", str(bench.folder)))
        request.node.user_properties += junit_properties(bench.measurements)
    if wrong:
        raise wrong[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.failed_in_call = report.failed  # type: ignore[attr-defined]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that needs the inside of the virtual board is skipped on a real one."""
    try:
        return (yield)
    except Exception as error:
        if type(error).__name__ == "NoVirtualBoard":  # by name: not to import the bench for every pytest start
            pytest.skip(str(error))
        raise


@pytest.fixture
def bench(new_bench: BenchFactory) -> Bench:
    """A bench with 12 V on, not started yet."""
    from twinaxle.errors import UserError

    try:
        return new_bench()
    except UserError as error:  # no MicroPython, a target that is not there: not a fault of the test
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def driving(bench: Bench) -> Bench:
    """A bench with the car in Drive, standing still, the brake released."""
    bench.start_up()
    return bench
