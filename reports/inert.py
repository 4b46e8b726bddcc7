"""Names made harmless for charts."""

from __future__ import annotations

import re

MAX_NAME = 60

# Controls that turn the direction of text, or end its isolation, would reach beyond their own label.
_CONTROLS = re.compile("[\x00-\x1f\x7f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def text(name: str, limit: int = MAX_NAME) -> str:
    """`name` made inert for Plotly, which reads a little HTML and `%{...}` in its texts; cut off at `limit`."""
    plain = _CONTROLS.sub("", name)
    if len(plain) > limit:
        plain = plain[: limit - 1] + "…"
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")
