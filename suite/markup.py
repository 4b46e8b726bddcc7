"""Text that others wrote, made harmless for Markdown and for the HTML that it may hold."""

from __future__ import annotations

import re
from typing import Final

MAX_TEXT: Final = 480

# What would be markup in Markdown or in the HTML that it may hold.
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]|~#])")


def escaped(text: str) -> str:
    """`text` in one line, shortened, with nothing in it that Markdown or HTML would act on."""
    line = " ".join(text.split())
    if len(line) > MAX_TEXT:
        line = line[: MAX_TEXT - 1] + "…"
    return _MARKUP.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def table(heads: list[str], rows: list[list[str]], numbers: frozenset[int] = frozenset()) -> list[str]:
    """Lines of a table of cells that are harmless already; columns in `numbers` stand to the right."""
    rule = ["--:" if i in numbers else "---" for i in range(len(heads))]
    return ["| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows)]
