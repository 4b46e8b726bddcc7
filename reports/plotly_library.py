"""Plotly's JavaScript library: where a page loads it from, and the content security policy that follows."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from joulemark.suite.errors import UsageError

EMBED, CDN, DIRECTORY = "embed", "cdn", "directory"
FILE = "plotly.min.js"
"""File name of the library beside a page."""


@dataclass(frozen=True)
class PlotlyLibrary:
    """How a page gets Plotly: either `code` or `address` is set."""

    code: Markup | None = None
    address: str | None = None
    integrity: str | None = None
    """Hash that a browser checks a fetched library against."""

    def content_security_policy(
        self, scripts: Sequence[str], styles: Sequence[str], style_attributes: Sequence[str]
    ) -> str:
        """Return the page's policy: whatever a run file holds, nothing of it runs, and nothing is loaded or sent.

        Args:
            scripts: The page's own scripts, each the whole text of its element. Inline, they and an embedded library
                alone may run. A library that is not embedded may be fetched, from its own address alone.
            styles: The page's own style sheets.
            style_attributes: Values of style attributes that Plotly makes for the page's labels.
        """
        fetched = f" {self.address}" if self.address and "://" in self.address else " 'self' file:"
        script_hashes = [*map(_hash_source, scripts), *([_library_hash()] if self.code is not None else [])]
        # Plotly adds a style element without text, and its rules by script.
        style_hashes = map(_hash_source, [*styles, ""])
        attribute_hashes = map(_hash_source, style_attributes)
        return (
            f"default-src 'none'; script-src {' '.join(script_hashes)}{fetched if self.address else ''}; "
            f"style-src {' '.join(style_hashes)}; style-src-attr 'unsafe-hashes' {' '.join(attribute_hashes)}; "
            "img-src data: blob:; base-uri 'none'; form-action 'none'"
        )


def plotly_library(plotlyjs: str) -> PlotlyLibrary:
    """Return the library for a value of `--plotlyjs`. Raises UsageError if the value is not one of the four kinds."""
    if plotlyjs == EMBED:
        return PlotlyLibrary(code=Markup(code()))
    if plotlyjs == CDN:
        address = f"https://cdn.plot.ly/plotly-{_version()}.min.js"
        return PlotlyLibrary(address=address, integrity=_library_hash().strip("'"))
    if plotlyjs == DIRECTORY:
        return PlotlyLibrary(address=FILE)
    if plotlyjs.endswith(".js"):
        return PlotlyLibrary(address=plotlyjs)
    raise UsageError(
        f"--plotlyjs is {plotlyjs!r}; it must be embed, cdn, directory, or a path or address that ends in .js."
    )


@cache
def code() -> str:
    """Return the library of the installed plotly. Raises UsageError if it cannot be put into a page."""
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    if "</script" in text.lower():
        raise UsageError("the installed plotly's library cannot be embedded in a page; use --plotlyjs directory.")
    return text


@cache
def style_ids() -> tuple[str, ...]:
    """Return the ids of the style sheets that the library adds as it loads, unless there is an element of that id.

    They are those of its maps, which no page has. The policy refuses them, which a browser reports as an error.
    """
    return tuple(dict.fromkeys(re.findall(r'if\(!document\.getElementById\("([0-9a-f]{64})"\)\)', code())))


@cache
def _library_hash() -> str:
    return _hash_source(code())


def _hash_source(text: str) -> str:
    """Return what a policy allows an inline script or style sheet by: the hash of its text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _version() -> str:
    from plotly.offline import get_plotlyjs_version

    version: str = get_plotlyjs_version()
    return version
