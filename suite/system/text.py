"""Text: that which people write, as it is read; and that of others, made harmless before it is shown.

What others wrote is run files, names of packages and hosts, answers of services, and what child processes print. A
terminal obeys control sequences in it (OSC 52 fills the clipboard), and a spreadsheet runs a cell that is a formula.
"""

from __future__ import annotations

import re
from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"

REPLACEMENT = "\ufffd"

LEFT_OUT = "(left out)"
"""What stands for a word that an anonymised text lacks."""

# All controls but tab and line feed; what hides text, or changes its direction or lines; what no encoding or XML has.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\U000e0000-\U000e007f]"
)

_FORMULA = ("=", "+", "-", "@")
"""First characters of a cell that a spreadsheet runs (OWASP, "CSV Injection")."""


def read_text(path: Path, errors: str = "strict") -> str:
    r"""Return the text of a file, with `\n` at the end of each line. OSError and UnicodeDecodeError as usual."""
    return path.read_text("utf-8", errors).removeprefix(BYTE_ORDER_MARK)


def decode(data: bytes, errors: str = "strict") -> str:
    """Return `data` as text. UnicodeDecodeError where it is none."""
    return data.decode("utf-8", errors).removeprefix(BYTE_ORDER_MARK)


def printable(text: str) -> str:
    r"""Return `text` with each control character but tab and line feed as U+FFFD.

    Bytes of a file name that are not UTF-8 (PEP 383) become `\xff`.
    """
    return _CONTROLS.sub(_visible, text)


def one_line(text: str) -> str:
    """Return `text` as one line without control characters, for a message or a cell of a table."""
    return printable(" ".join(text.split()))


def spreadsheet_cell(value: object) -> object:
    """Return `value` for a CSV file: text as one line, with an apostrophe before what a spreadsheet would run."""
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _visible(character: re.Match[str]) -> str:
    code = ord(character[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else REPLACEMENT
