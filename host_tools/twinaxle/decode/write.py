"""Decodes a log into files: chooses format, layout and file names, and writes a file whole or not at all."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from twinaxle.decode import csv_tables
from twinaxle.decode.blocks import LogDecoder, Selected
from twinaxle.decode.cells import Style
from twinaxle.decode.csv_tables import Progress
from twinaxle.decode.sampling import Samples
from twinaxle.errors import UserError
from twinaxle.files import replaced

CSV_SUFFIXES = (".csv", ".csv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")
LAYOUTS = ("messages", "wide", "long")
FORMATS = ("csv", "parquet")

_MOST_THREADS = 4  # each holds a block of decoded frames


@dataclass(frozen=True)
class Target:
    """Where tables go: one file of a format, or a folder of them."""

    path: Path
    format: str
    layout: str

    @property
    def is_folder(self) -> bool:
        return self.layout == "messages"


def target(path: Path, layout: str | None, file_format: str | None) -> Target:
    """What the user's options mean: a path with a known suffix is one file, any other a folder with a file a message.

    Raises UserError if the options contradict each other.
    """
    name = path.name.lower()
    by_suffix = "csv" if name.endswith(CSV_SUFFIXES) else "parquet" if name.endswith(PARQUET_SUFFIXES) else None
    if by_suffix is None or path.is_dir():
        if layout in ("wide", "long"):
            raise UserError(f"{path}: the {layout} layout is one file: name it .csv, .csv.gz or .parquet")
        if path.suffix and not path.is_dir() and file_format is None:
            raise UserError(f"{path}: unknown suffix {path.suffix}: .csv, .csv.gz and .parquet are known")
        return Target(path, file_format or "csv", "messages")
    if file_format not in (None, by_suffix):
        raise UserError(f"{path}: the suffix says {by_suffix}, --format says {file_format}")
    if layout == "messages":
        raise UserError(f"{path}: the layout `messages` is a folder with a file for each message: name a folder")
    return Target(path, by_suffix, layout or "wide")


def write_tables(
    where: Target,
    decoder: LogDecoder,
    style: Style,
    progress: Progress,
    sampled: Iterable[Samples] | None = None,
) -> list[Path]:
    """Write the tables; with `sampled` only these. Returns the files written.

    Raises UserError if a file cannot be written or the format lacks its package.
    """
    if where.is_folder:
        return _write_folder(where, decoder, style, progress)
    if where.format == "csv":
        with replaced(where.path) as part, _opened(part, where.path) as out:
            write_csv(out, where.layout, decoder, style, progress, sampled)
        return [where.path]
    from twinaxle.decode import parquet

    with replaced(where.path) as part:
        if sampled is not None:
            parquet.write_samples(part, decoder, sampled, style, progress)
        else:
            writer = parquet.write_wide if where.layout == "wide" else parquet.write_long
            writer(part, decoder, style, progress)
    return [where.path]


def write_csv(
    out: IO[bytes],
    layout: str,
    decoder: LogDecoder,
    style: Style,
    progress: Progress,
    sampled: Iterable[Samples] | None = None,
) -> None:
    """Write one wide or long table, or `sampled`, to an open file."""
    if sampled is not None:
        csv_tables.write_samples(out, sampled, style, progress)
    elif layout == "wide":
        csv_tables.write_wide(out, decoder, style, progress)
    else:
        csv_tables.write_long(out, decoder, style, progress)


def _write_folder(where: Target, decoder: LogDecoder, style: Style, progress: Progress) -> list[Path]:
    try:
        where.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{where.path}: cannot be made a folder: {error.strerror}") from None
    present = [selected for selected in decoder.selection if decoder.count(selected.message)]
    files = [where.path / f"{selected.message.name}.{where.format}" for selected in present]
    # numpy, zlib and pyarrow let other threads run.
    with ThreadPoolExecutor(max_workers=min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
        jobs = [
            threads.submit(_write_message, file, where.format, decoder, selected, style, progress)
            for file, selected in zip(files, present, strict=True)
        ]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return files


def _write_message(
    file: Path, file_format: str, decoder: LogDecoder, selected: Selected, style: Style, progress: Progress
) -> None:
    with replaced(file) as part:
        if file_format == "csv":
            with part.open("wb") as out:
                csv_tables.write_message(out, decoder, selected, style, progress)
        else:
            from twinaxle.decode import parquet

            parquet.write_message(part, decoder, selected, style, progress)


@contextmanager
def _opened(path: Path, final: Path) -> Iterator[IO[bytes]]:
    if final.name.lower().endswith(".gz"):
        with gzip.open(path, "wb", compresslevel=6) as packed:
            yield packed  # type: ignore[misc]
    else:
        with path.open("wb") as out:
            yield out
