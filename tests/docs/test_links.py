"""Links of the documentation: each file and each anchor exists, in the repository as on the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from places import DOCS, ROOT

PAGES = sorted(DOCS.rglob("*.md"))
NAV = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
LINK = re.compile(
    r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)|\b(?:src|srcset|href)=\"([^\"]+)\"", re.M
)


def prose(path: Path) -> str:
    """Return the text of a page without its code."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^(\s*)(```+|~~~+).*?^\1\2\s*$", "", text, flags=re.S | re.M)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text, flags=re.S)


def links(path: Path) -> Iterator[str]:
    """Return the targets in a page that are no addresses."""
    for groups in LINK.findall(prose(path)):
        target = next(group for group in groups if group)
        if not re.match(r"[a-z][a-z+.-]*:", target):
            yield target


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a page's headings that GitHub and Python-Markdown name alike."""
    text = re.sub(r"^(```+|~~~+).*?^\1\s*$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    found = set(re.findall(r"\bid=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, re.M):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        plain = re.sub(r"[^\w\s-]", "", shown).strip().lower()
        github, markdown = re.sub(r"\s", "-", plain), re.sub(r"[-\s]+", "-", plain)
        if github == markdown:
            found.add(github)
    return frozenset(found)


def broken(path: Path, inside: Path) -> list[str]:
    """Return what is wrong with the links of a page that may lead to files in the folder `inside`."""
    found = []
    for target in links(path):
        name, _, anchor = unquote(target).partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            found.append(f"{target}: no such file")
        elif not file.is_relative_to(inside):
            found.append(f"{target}: outside of {inside.name}/, which is all that the site has")
        elif inside == DOCS and file.is_dir():
            found.append(f"{target}: a folder, which the site does not list")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            found.append(f"{target}: no such heading")
    return found


def pages_of(nav: object) -> Iterator[str]:
    """Return the pages of the site's navigation, however deep."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict | list):
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from pages_of(part)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_links_of_a_page_lead_somewhere(path: Path) -> None:
    assert broken(path, DOCS) == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_repository_lead_somewhere(name: str) -> None:
    assert broken(ROOT / name, ROOT) == []


def test_every_page_is_once_in_the_navigation() -> None:
    listed = list(pages_of(NAV))
    assert sorted(listed) == [str(path.relative_to(DOCS)) for path in PAGES], "mkdocs.yml: nav"


def test_links_are_found_and_broken_ones_too(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One & two\n\n[a](page.md#one-two) [b](page.md#here) [c](none.md) ![d](none.png) `[e](code.md)`\n\n"
        '## Here\n\n<img src="none.svg">\n\n```\n[f](code.md)\n## Code\n```\n\n[g](#code) [h](https://example.org/x)\n\n'
        "[i]: none.txt\n[j](../)\n"
    )
    assert broken(page, tmp_path) == [
        # GitHub has #one--two, and the site #one-two
        "page.md#one-two: no such heading",
        "none.md: no such file",
        "none.png: no such file",
        "none.svg: no such file",
        "#code: no such heading",
        "none.txt: no such file",
        f"../: outside of {tmp_path.name}/, which is all that the site has",
    ]
