"""Read text that people write: UTF-8, with or without the byte order mark that some editors put before it."""

from __future__ import annotations

from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"


def read_text(path: Path, errors: str = "strict") -> str:
    r"""Return the text of a file, with `\n` at the end of each line. OSError and UnicodeDecodeError as usual."""
    return path.read_text("utf-8", errors).removeprefix(BYTE_ORDER_MARK)


def decode(data: bytes, errors: str = "strict") -> str:
    """Return `data` as text. UnicodeDecodeError where it is none."""
    return data.decode("utf-8", errors).removeprefix(BYTE_ORDER_MARK)
