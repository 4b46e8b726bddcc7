"""Output on a terminal or into a file whose encoding lacks some of our characters."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

STAND_INS = {
    "₂": "2",
    "µ": "u",
    "≥": ">=",
    "≤": "<=",
    "±": "+-",
    "\u00d7": "x",
    "·": "-",
    "…": "...",
    "\u2013": "-",
    "★": "*",
    "●": "*",
    "◐": "o",
    "◔": "o",
    "○": "o",
    "◇": "o",
    "░": ":",
    "─": "-",
    "━": "-",
    "┆": "|",
    **dict.fromkeys("│├┤└▏▎▍▌", "|"),
    **dict.fromkeys("▋▊▉█▁▂▃▄▅▆▇", "="),
}
"""What stands nearest to a character; "?" for any other."""


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(STAND_INS.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error("joulemark", _stand_in)


def ascii(text: str) -> str:
    """`text` in ASCII alone."""
    return text.encode("ascii", "joulemark").decode()


def permit(stream: TextIO) -> None:
    """Let `stream` write what its encoding has not as what stands nearest to it, instead of failing."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="joulemark")
