"""Plotly's library in a page: where it comes from, and what the page may load because of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from joulemark.suite.errors import UsageError

EMBED, CDN, DIRECTORY = "embed", "cdn", "directory"
FILE = "plotly.min.js"
"""Its name beside a page."""


@dataclass(frozen=True)
class Library:
    """How the page gets Plotly's library: either `code` or `address` is set."""

    code: Markup | None = None
    address: str | None = None
    integrity: str | None = None
    """Hash that a browser checks a fetched library against."""

    @property
    def policy(self) -> str:
        """The page's own content security policy: whatever stands in a run file, the page can load nothing from a
        network. Only a library that is not in the page may be fetched, and from nowhere but its own place."""
        source = f" {self.address}" if self.address and "://" in self.address else " 'self' file:"
        scripts = "'unsafe-inline'" + (source if self.address else "")
        return (
            f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
            "base-uri 'none'; form-action 'none'"
        )


def find(plotlyjs: str) -> Library:
    """The library for a value of `--plotlyjs`. UsageError for any other."""
    if plotlyjs == EMBED:
        return Library(code=Markup(code()))
    if plotlyjs == CDN:
        digest = base64.b64encode(hashlib.sha256(code().encode()).digest()).decode()
        return Library(address=f"https://cdn.plot.ly/plotly-{_version()}.min.js", integrity=f"sha256-{digest}")
    if plotlyjs == DIRECTORY:
        return Library(address=FILE)
    if plotlyjs.endswith(".js"):
        return Library(address=plotlyjs)
    raise UsageError(
        f"--plotlyjs is {plotlyjs!r}; it must be embed, cdn, directory, or a path or address that ends in .js."
    )


@cache
def code() -> str:
    """The library of the installed plotly. UsageError where it cannot stand in a page."""
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    if "</script" in text.lower():
        raise UsageError("the installed plotly's library cannot be put into a page; use --plotlyjs directory.")
    return text


def _version() -> str:
    from plotly.offline import get_plotlyjs_version

    version: str = get_plotlyjs_version()
    return version
