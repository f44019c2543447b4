"""pytest plugin: options, the `bench` fixture, the requirement marker, the report of a session.

Comes with the package, so `pytest` knows `--target`, `--seed` and `--trace` wherever twinaxle is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hil.bench import Bench

BenchFactory = Callable[..., "Bench"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("twinaxle", "twinaxle bench")
    group.addoption("--target", default="virtual", help="what runs the firmware (default: virtual)")
    group.addoption("--seed", type=int, default=1, help="seed of every bench run (default: 1)")
    group.addoption("--trace", type=Path, default=None, metavar="FOLDER", help="keep logs of all runs in this folder")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "req(id, ...): the test verifies these requirements")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A misspelt requirement id is an error, not a hole in the coverage."""
    from hil.requirements import check_ids

    for item in items:
        for marker in item.iter_markers("req"):
            check_ids(marker.args, item.nodeid)


@pytest.fixture
def new_bench(request: pytest.FixtureRequest) -> Iterator[BenchFactory]:
    """Makes benches with the session's target and seed: `new_bench(tick_cost_us=900)`. They end with the test."""
    from hil.bench import Bench
    from hil.workshop import run_folder

    count = 0
    with ExitStack() as stack:

        def make(**options: Any) -> Bench:
            nonlocal count
            count += 1
            name = request.node.nodeid.split("/")[-1] + (f"-{count}" if count > 1 else "")
            options.setdefault("seed", request.config.getoption("--seed"))
            options.setdefault("target", request.config.getoption("--target"))
            trace: Path | None = request.config.getoption("--trace")
            folder = None if trace is None else trace / run_folder(name).name
            bench = Bench(name=name, folder=folder, **options)
            for item in bench.measurements:
                request.node.user_properties.append((item.name, item.value))
            return stack.enter_context(bench)

        yield make


@pytest.fixture
def bench(new_bench: BenchFactory) -> Bench:
    """A bench with 12 V on, not started yet."""
    return new_bench()


@pytest.fixture
def driving(bench: Bench) -> Bench:
    """A bench with the car in Drive, standing still, the brake released."""
    bench.start_up()
    return bench
