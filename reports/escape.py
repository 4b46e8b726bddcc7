"""Escape text from run files for Plotly labels, and for Markdown with the HTML that it may hold."""

from __future__ import annotations

import re
from typing import Final

from joulemark.suite.system.text import one_line

MAX_NAME: Final = 60
MAX_TEXT: Final = 480

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]|~#])")


def for_plotly(name: str, limit: int = MAX_NAME) -> str:
    """Return `name`, at most `limit` characters, with nothing that Plotly reads as HTML or as `%{...}`."""
    plain = one_line(name)
    if len(plain) > limit:
        plain = plain[: limit - 1] + "…"
    return _escape_html(plain).replace("%{", "% {")


def for_markdown(text: str) -> str:
    """Return `text` as one line of at most MAX_TEXT characters, with Markdown and HTML escaped."""
    line = one_line(text)
    if len(line) > MAX_TEXT:
        line = line[: MAX_TEXT - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", _escape_html(line))


def markdown_table(heads: list[str], rows: list[list[str]], numbers: frozenset[int] = frozenset()) -> list[str]:
    """Return the lines of a table of escaped cells; columns in `numbers` are aligned right."""
    rule = ["--:" if i in numbers else "---" for i in range(len(heads))]
    return ["| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows)]


def _escape_html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
