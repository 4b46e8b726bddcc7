"""Check the shape of CHANGELOG.md, and print the section of one version: `python .ci/changelog.py [VERSION]`.

The shape is that of https://keepachangelog.com: what is not released comes first, then each release with its date, the
newest first. Exits with 2 where the shape is another, and where VERSION has no section or an empty one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
UNRELEASED = "Unreleased"
GROUPS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+) - (\d{4}-\d{2}-\d{2})")


def sections(text: str) -> list[tuple[str, str]]:
    """Return title and body of each section, in their order."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return [(title.strip(), body.strip()) for title, body in zip(parts[1::2], parts[2::2], strict=True)]


def problems(text: str) -> Iterator[str]:
    """Yield what is wrong with a changelog, one line each."""
    titles = [title for title, _ in sections(text)]
    if titles[:1] != [UNRELEASED]:
        yield f"the first section is {titles[0] if titles else 'missing'}: begin with `## {UNRELEASED}`"
    releases = []
    for title in titles[titles[:1] == [UNRELEASED] :]:
        match = RELEASE.fullmatch(title)
        try:
            if match is None:
                raise ValueError("no such form")
            releases.append((tuple(map(int, match.groups()[:3])), date.fromisoformat(match[4])))
        except ValueError:
            yield f"`## {title}` is no release: write `## 1.2.3 - 2026-12-31`"
    for (newer, later), (older, earlier) in pairwise(releases):
        if newer <= older or later < earlier:
            versions = [".".join(map(str, version)) for version in (newer, older)]
            yield f"{versions[0]} of {later} stands above {versions[1]} of {earlier}: the newest comes first"
    for group in re.findall(r"^### (.*)$", text, flags=re.MULTILINE):
        if group.strip() not in GROUPS:
            yield f"`### {group}` is no group: {', '.join(GROUPS)}"


def section_of(text: str, version: str) -> str | None:
    """Return what the changelog says of a released `version`; None if nothing."""
    found = (body for title, body in sections(text) if RELEASE.fullmatch(title) and title.split(" ")[0] == version)
    return next(found, None) or None


def main() -> int:
    text = CHANGELOG.read_text(encoding="utf-8")
    found = list(problems(text))
    section = section_of(text, sys.argv[1]) if len(sys.argv) > 1 else ""
    if section is None:
        found.append(
            f"nothing is said of {sys.argv[1]}: move what it has from `## {UNRELEASED}` to a section of its own"
        )
    for problem in found:
        print(f"{CHANGELOG.name}: {problem}.", file=sys.stderr)
    if not found:
        print(section, end="\n" if section else "")
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main())
