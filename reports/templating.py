"""What templates are filled in with: Jinja's environment and filters, JSON that is inert in a page, our own assets."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from joulemark.reports.model.embedded import checksum


@cache
def environment() -> Environment:
    """Where templates are found, and their filters."""
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=PackageLoader("joulemark.reports", "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["cell"] = _cell
    made.filters["short"] = _short
    made.filters["code"] = _code
    made.filters["compact"] = _compact
    made.filters["digits"] = digits
    made.filters["checksum"] = checksum
    made.filters["of_item"] = _of_item
    return made


def _cell(item: str | float | int | None) -> str:
    """An item of a grid as text."""
    if item is None:
        return "not measured"
    return item if isinstance(item, str) else f"{item:g}"


def _short(reason: str) -> str:
    """The beginning of a reason, for a narrow place; the whole stands in a tooltip."""
    return reason if len(reason) <= 60 else reason[:59] + "…"


def digits(value: float | None) -> str:
    """A value for programs: 12 significant digits, the shortest way; empty for None."""
    return "" if value is None else f"{value:.12g}"


def script(names: Sequence[str]) -> Markup:
    """Our own scripts as one, out of sight of others'."""
    return Markup("(() => {{\n'use strict';\n{}\n}})();").format(Markup("\n").join(map(asset, names)))


def _of_item(words: str, item: str) -> str:
    """A heading or unit with the item's own name: `k items/s` -> `k images/s`."""
    return words.replace("items", f"{item}s").replace("item", item)


def _compact(html: str) -> Markup:
    """`html` without the indentation of the templates: a third of a large page."""
    return Markup(re.sub(r"\s*\n\s*", "\n", html))


def _code(text: str) -> Markup:
    """`text` escaped, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def inert_json(value: Any) -> Markup:
    """`value` as JSON that cannot end its script element or be read as markup; ValueError for NaN and infinity."""
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def asset(name: str) -> Markup:
    """One of our own style sheets or scripts."""
    text = (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")
    return Markup(text.strip())
