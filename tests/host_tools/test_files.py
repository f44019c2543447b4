"""Files are written whole or not at all, and errors name them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from twinaxle.errors import UserError
from twinaxle.files import replaced, write_text


def test_a_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv.gz"
    for text in ("first", "second"):
        write_text(path, text)
        assert path.read_text() == text
    assert [one.name for one in path.parent.iterdir()] == ["table.csv.gz"]


def test_the_path_to_write_to_has_all_suffixes(tmp_path: Path) -> None:
    for name, suffixes in (("x.csv.gz", [".csv", ".gz"]), ("x.blf", [".blf"]), ("x", [])):
        with replaced(tmp_path / name) as part:
            assert part.suffixes == suffixes and part.parent == tmp_path
            part.write_text("")


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replaced(path) as part:
        part.write_text("half")
        raise ZeroDivisionError
    with pytest.raises(UserError, match=r"page\.html: cannot be written: No space left"), replaced(path) as part:
        raise OSError(28, "No space left on device")
    assert path.read_text() == "old" and [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "new"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        write_text(tmp_path, "text")


@pytest.mark.skipif(sys.platform == "win32", reason="devices of POSIX")
def test_a_device_is_written_directly(tmp_path: Path) -> None:
    write_text(Path("/dev/null"), "text")
    if Path("/dev/full").exists():
        with pytest.raises(UserError, match="/dev/full: cannot be written: No space left"):
            write_text(Path("/dev/full"), "text")
