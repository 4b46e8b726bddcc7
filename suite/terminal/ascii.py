"""Replace characters that the encoding of a terminal or file lacks by similar ones."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

REPLACEMENTS = (
    {"≥": ">=", "≤": "<=", "±": "+-", "…": "..."}
    | dict(zip("₂µ\u00d7·\u2013─━┆★●◐◔○◇░", "2ux----|**oooo:", strict=True))
    | dict.fromkeys("│├┤└▏▎▍▌", "|")
    | dict.fromkeys("▋▊▉█▁▂▃▄▅▆▇", "=")
)
"""ASCII text for a character; any other becomes "?"."""


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(REPLACEMENTS.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error("joulemark", _replace)


def to_ascii(text: str) -> str:
    """Return `text` in ASCII."""
    return text.encode("ascii", "joulemark").decode()


def replace_missing_characters(stream: TextIO) -> None:
    """Make `stream` write similar characters for those its encoding lacks, instead of raising UnicodeEncodeError."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="joulemark")
