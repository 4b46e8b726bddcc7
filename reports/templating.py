"""Jinja environment and filters for the templates, JSON that is safe inside a page, and the page's own assets."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from joulemark.reports.embedded_run import checksum
from joulemark.suite.system.text import printable


@cache
def environment() -> Environment:
    """Return the Jinja environment of the templates, with its filters."""
    jinja = Environment(
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        loader=PackageLoader("joulemark.reports", "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["table_text"] = _table_text
    jinja.filters["short"] = _short
    jinja.filters["code"] = _code
    jinja.filters["compact"] = _compact
    jinja.filters["digits"] = digits
    jinja.filters["checksum"] = checksum
    jinja.filters["of_item"] = _of_item
    return jinja


def _finalize(value: Any) -> Any:
    """Return the value of an expression as it goes into a page: text without control characters."""
    return printable(value) if type(value) is str else value


def _table_text(value: str | float | int | None) -> str:
    """Return a value of a data table as text."""
    if value is None:
        return "not measured"
    return value if isinstance(value, str) else f"{value:g}"


def _short(reason: str) -> str:
    """Return the beginning of a reason, for a narrow place; the whole stands in a tooltip."""
    return reason if len(reason) <= 60 else reason[:59] + "…"


def digits(value: float | None) -> str:
    """Return a value for programs: 12 significant digits in the shortest form, empty for None."""
    return "" if value is None else f"{value:.12g}"


def _of_item(text: str, item: str) -> str:
    """Return a heading or unit with the item's own name: `k items/s` -> `k images/s`."""
    return text.replace("items", f"{item}s").replace("item", item)


def _compact(html: str) -> Markup:
    """Return `html` without the indentation of the templates, which is a third of a large page."""
    return Markup(re.sub(r"\s*\n\s*", "\n", html))


def _code(text: str) -> Markup:
    """Return `text` escaped, with text between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def safe_json(value: Any) -> Markup:
    """Return `value` as JSON that cannot end its script element or be read as markup.

    Raises ValueError if `value` contains NaN or infinity.
    """
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def script(names: Sequence[str]) -> Markup:
    """Return the page's own scripts as one, in a scope of their own."""
    return Markup("(() => {{\n'use strict';\n{}\n}})();").format(Markup("\n").join(map(asset, names)))


def asset(name: str) -> Markup:
    """Return one of the page's own style sheets or scripts."""
    text = (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")
    return Markup(text.strip())
