"""Files that commands write: whole or not at all, with an error that names them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinaxle.errors import UserError


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` once all is written, and is removed if not.

    The path has the suffixes of `path`. The folder is made if there is none. A device or a pipe is written directly.

    Raises UserError for an OSError inside.
    """
    try:
        if path.exists() and not path.is_file():
            yield path
            return
        final = path.resolve()  # behind a link, whose name stays a link
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise UserError(f"{path}: cannot be written: {final.parent} is not a folder") from None
        stem, _, suffixes = final.name.partition(".")
        part = final.with_name(f"{stem}-part.{suffixes}" if suffixes else f"{stem}-part")
        try:
            yield part
            part.replace(final)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all. Raises UserError."""
    with replaced(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
