"""Reading what people write, with or without a byte order mark; and showing what others wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulemark.suite.system.text import decode, one_line, printable, read_text, spreadsheet_cell

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


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\x1b", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\u2028", "\U000e0041", "\ud800"],
)
def test_control_characters_are_replaced(character: str) -> None:
    assert printable(f"a{character}b") == "a\ufffdb"


def test_other_text_is_printed_as_it_is() -> None:
    text = "1.2 µJ ≥ 3 kg CO₂e: Zürich, 東京\n\tcase"
    assert printable(text) == text
    assert printable(b"caf\xe9".decode(errors="surrogateescape")) == "caf\\xe9"
    assert one_line(" a\n\tb\x85c\x1b[2J ") == "a b c\ufffd[2J"


def test_cells_are_no_formulas_and_numbers_stay_numbers() -> None:
    assert [spreadsheet_cell(text) for text in ("=1+1", "\t+1", "\r-1", "@a", "a\n=1")] == [
        "'=1+1", "'+1", "'-1", "'@a", "a =1",
    ]  # fmt: skip
    assert [spreadsheet_cell(value) for value in (-1.5, 2, None)] == [-1.5, 2, None]
