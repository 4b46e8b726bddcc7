"""Reading what people write: with or without a byte order mark, whatever the line ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulemark.suite.system.text import decode, read_text

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("mark", [b"", MARK])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_mark_and_line_ends_are_no_part_of_the_text(tmp_path: Path, mark: bytes, end: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(mark + b"zone = \xc3\x84" + end + b"next" + end)
    assert read_text(path) == "zone = \u00c4\nnext\n"
    assert decode(mark + b"x") == "x"


def test_only_the_first_mark_is_none_of_the_text() -> None:
    assert decode(MARK + b"x" + MARK) == "x\ufeff"


def test_other_encodings_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("zone", encoding="utf-16")
    with pytest.raises(UnicodeDecodeError):
        read_text(path)
    assert "z" in read_text(path, errors="replace")
