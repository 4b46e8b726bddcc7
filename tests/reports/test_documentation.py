"""Notices link to the documentation if the installed package says where that is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from run_files import case, run_file

from joulemark.reports.documentation import documentation_address
from joulemark.reports.html import render
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice


def installed(folder: Path, *urls: str) -> None:
    """Put a distribution `joulemark` with these project addresses into `folder`."""
    info = folder / "joulemark-9.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", "Name: joulemark", "Version: 9", *(f"Project-URL: {url}" for url in urls)]
    (info / "METADATA").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("urls", "address"),
    [
        (["Documentation, https://example.org/docs/"], "https://example.org/docs"),
        (["Homepage, https://example.org", "Documentation, javascript:alert(1)"], ""),
        ([], ""),
    ],
)
def test_address_is_that_of_the_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, urls: list[str], address: str
) -> None:
    installed(tmp_path, *urls)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert documentation_address() == address
    page = render([run_file([case(notices=(Notice.of(Code.HIGH_VARIANCE, 0.2, 0.1),))])])
    link = f'<a href="{address}/notices/high_variance.html">high_variance</a>'
    assert (link in page) == bool(address)
    assert ("<code>docs/notices/high_variance.md</code>" in page) != bool(address)
