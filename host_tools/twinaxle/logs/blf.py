"""Reads Vector's BLF in bulk: zlib unpacks the containers, numpy the objects in them.

A BLF file is a header and objects. A container is an object that holds a compressed piece of the stream of the other
objects, and an object may begin in one container and end in the next. The layouts are those of python-can's reader,
which the tests hold this one against.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.logs.blf_objects import find_objects, frames_of
from twinaxle.logs.frames import FrameTable, concatenate

Progress = Callable[[int, int], None]
"""`progress(done, all)`, in bytes of the file."""

_FILE_HEADER = struct.Struct("<4sL8BQQLL8H8H")
_START_TIME = slice(14, 22)  # fields of the header: a SYSTEMTIME
_OBJECT_HEADER = struct.Struct("<4sHHLL")  # signature, header size, header version, object size, object type
_CONTAINER_HEADER = struct.Struct("<H6xL4x")  # compression method, size when unpacked
_SIGNATURE = b"LOBJ"
_CONTAINER = 10
_PADDING = 8  # bytes behind an object within which the next begins
_UNCOMPRESSED, _ZLIB = 0, 2
_AHEAD = 32  # containers that are unpacked ahead
_PIECE = 2 << 20  # bytes of the stream that are unpacked at a time: what the processor's cache holds


def read_blf(path: Path, progress: Progress | None = None, *, with_fd: bool = False) -> FrameTable:
    """All frames of a BLF file, error frames too.

    CAN FD frames are counted in `skipped` but for `with_fd`. A truncated or damaged file gives what is readable, and
    `notes` say what is missing. Raises UserError if the file cannot be read or is no BLF.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    _require_header(path, content)
    header = _FILE_HEADER.unpack_from(content)
    stream = _Stream(content, header[1], progress)
    start_ns = _start_ns(header[_START_TIME])
    tables: list[FrameTable] = []
    fd_frames = 0
    lost_bytes = 0
    rest = b""
    for piece in stream.pieces():
        if piece is None:  # the rest of what was begun is missing
            lost_bytes += len(rest)
            rest = b""
            continue
        piece = rest + piece
        positions, end, lost = find_objects(piece)
        table, fd = frames_of(piece, positions, start_ns, with_fd=with_fd)
        tables.append(table)
        fd_frames += fd
        lost_bytes += lost
        rest = piece[end:]
    notes = stream.notes
    if rest.strip(b"\0"):
        notes.append(f"ends inside an object, of which {len(rest)} bytes are there and not used")
    if lost_bytes or stream.lost_bytes:
        notes.append(f"is damaged: {lost_bytes + stream.lost_bytes} bytes between objects were skipped")
    table = concatenate([table for table in tables if len(table)])
    skipped = {"CAN FD frames": fd_frames} if fd_frames and not with_fd else {}
    return table.annotated(skipped, tuple(f"{path}: {note}" for note in notes))


def require_blf(path: Path) -> None:
    """Raises UserError if the file is no BLF. Raises OSError."""
    with path.open("rb") as file:
        _require_header(path, file.read(_FILE_HEADER.size))


def _require_header(path: Path, content: bytes) -> None:
    if content[:4] != b"LOGG" or len(content) < _FILE_HEADER.size:
        raise UserError(f"{path}: is not a BLF file: it has no BLF header")


def _start_ns(system_time: Sequence[int]) -> int:
    """The time in the file's header in ns since 1970; 0 if there is none, as in python-can."""
    year, month, _, day, hour, minute, second, millisecond = system_time
    try:
        start = datetime(year, month, day, hour, minute, second, millisecond * 1000, tzinfo=UTC)
    except ValueError:
        return 0
    return round(start.timestamp() * 1000) * 1_000_000


class _Stream:
    """The containers of a file, unpacked. `notes` and `lost_bytes` tell what is wrong with them."""

    def __init__(self, content: bytes, start: int, progress: Progress | None) -> None:
        self._content = content
        self._start = start
        self._progress = progress
        self.notes: list[str] = []
        self.lost_bytes = 0

    def pieces(self) -> Iterator[bytes | None]:
        """The stream of objects in pieces of some megabytes; None stands for a gap between two of them."""
        unpacked: list[bytes] = []
        size = 0
        for content, end, gap in self._contents():
            unpacked.append(content or b"")
            size += len(unpacked[-1])
            if size >= _PIECE or gap or content is None:
                yield b"".join(unpacked)
                unpacked, size = [], 0
                if self._progress is not None:
                    self._progress(end, len(self._content))
            if gap or content is None:
                yield None
        yield b"".join(unpacked)
        if self._progress is not None:
            self._progress(len(self._content), len(self._content))

    def _contents(self) -> Iterator[tuple[bytes | None, int, bool]]:
        """What each object of the file holds (None: cannot be trusted), its end, and whether a gap comes after it.

        Another thread unpacks ahead: zlib needs no lock of the interpreter.
        """
        ahead: deque[tuple[Future[bytes | None], int, bool]] = deque()
        with ThreadPoolExecutor(max_workers=1) as thread:
            for at, header_size, end, kind, gap in self._objects():
                ahead.append((thread.submit(self._hold, kind, at, at + header_size, end), end, gap))
                if len(ahead) > _AHEAD:
                    job, last, broken = ahead.popleft()
                    yield job.result(), last, broken
            for job, last, broken in ahead:
                yield job.result(), last, broken

    def _hold(self, kind: int, start: int, body: int, end: int) -> bytes | None:
        if kind == _CONTAINER:
            return self._unpack(body, end)
        return self._content[start:end] + bytes((end - start) % 4)  # an object that no container holds

    def _objects(self) -> Iterator[tuple[int, int, int, int, bool]]:
        """Place, header size, end and type of each object of the file itself, and whether a gap comes after it."""
        content, at = self._content, self._next(self._start)
        while at + _OBJECT_HEADER.size <= len(content):
            _, header_size, _, object_size, kind = _OBJECT_HEADER.unpack_from(content, at)
            end = at + max(object_size, len(_SIGNATURE))
            if end > len(content):
                self.notes.append(f"is truncated: its last object lacks {end - len(content)} of {object_size} bytes")
            found = self._next(min(end, len(content)))
            if object_size >= _OBJECT_HEADER.size:
                yield at, header_size, min(end, len(content)), kind, found - end > _PADDING
            at = found
        if content[at:].strip(b"\0"):
            self.notes.append(f"is truncated: ends with {len(content) - at} bytes of an object's header")

    def _next(self, at: int) -> int:
        """Where the next object of the file begins; its end if there is none."""
        content = self._content
        found = content.find(_SIGNATURE, at)
        if found < 0:
            found = len(content) if not content[at:].strip(b"\0") or len(content) - at > _OBJECT_HEADER.size else at
        if found - at > _PADDING:
            self.lost_bytes += found - at
        return found

    def _unpack(self, at: int, end: int) -> bytes | None:
        """The content of the container whose own header begins at `at`; None if it cannot be trusted."""
        if at + _CONTAINER_HEADER.size > end:
            return b""
        method, size = _CONTAINER_HEADER.unpack_from(self._content, at)
        packed = memoryview(self._content)[at + _CONTAINER_HEADER.size : end]
        if method == _UNCOMPRESSED:
            return bytes(packed)
        if method != _ZLIB:
            self.notes.append(f"byte {at}: a container is packed by the unknown method {method} and left out")
            return None
        try:
            # `decompressobj` gives what there is of a container that is cut off, `decompress` only whole ones.
            return zlib.decompressobj().decompress(packed)
        except zlib.error:
            self.notes.append(f"byte {at}: a container of {size} bytes is damaged and left out")
            return None
