"""Plotly's JavaScript library: where a page loads it from, and the content security policy that follows."""

from __future__ import annotations

import base64
import hashlib
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

    @property
    def content_security_policy(self) -> str:
        """The page's policy: whatever a run file holds, the page can load nothing from a network.

        Only a library that is not embedded may be fetched, and only from its own address.
        """
        source = f" {self.address}" if self.address and "://" in self.address else " 'self' file:"
        scripts = "'unsafe-inline'" + (source if self.address else "")
        return (
            f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
            "base-uri 'none'; form-action 'none'"
        )


def plotly_library(plotlyjs: str) -> PlotlyLibrary:
    """Return the library for a value of `--plotlyjs`. Raises UsageError if the value is not one of the four kinds."""
    if plotlyjs == EMBED:
        return PlotlyLibrary(code=Markup(code()))
    if plotlyjs == CDN:
        digest = base64.b64encode(hashlib.sha256(code().encode()).digest()).decode()
        address = f"https://cdn.plot.ly/plotly-{_version()}.min.js"
        return PlotlyLibrary(address=address, integrity=f"sha256-{digest}")
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


def _version() -> str:
    from plotly.offline import get_plotlyjs_version

    version: str = get_plotlyjs_version()
    return version
