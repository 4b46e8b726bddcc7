"""Commands and programs in README, CONTRIBUTING, docs/ and the remedies of notices, as a reader would type them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from places import DOCS, ROOT

PLACES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")), ROOT / "suite" / "notices.toml")
SHELLS = ("", "sh", "console", "bash")
FENCE = re.compile(r"^([ ]*)```(\w*)[^\n]*\n(.*?)^\1```", re.S | re.M)
OWN = "two_layers"
"""The workload of docs/own-workload.md, whose test runs its commands."""

PLACEHOLDERS = {
    "RUN": "latest",
    "RUN...": "latest",
    "A": "20261101",
    "B": "latest",
    "FILES": "job/fit.node0.json job/fit.node1.json",
    "DIR|FILES": "job",
    "DIR|RUN...": "job",
    "job JOB": "job job",
    "job ID": "job job",
    "ZONE": "CH",
    "N": "2",
    "G": "300",
    "COMMAND": "true",
    "--format ...": "--format markdown",
    "plug:ADDRESS": "plug:192.0.2.1",
    "redfish:URL": "redfish:https://192.0.2.1",
    "[--history|--forecast]": "--forecast",
    "[--before 18:00]": "--before 18:00",
    "main/bin/python": "/bin/true",
    "torch-2.12/bin/python": "/bin/true",
    "torch-2.13/bin/python": "/bin/true",
}
"""What stands for a reader's own, by how the docs write it."""


@dataclass(frozen=True)
class Documented:
    """A command of joulemark."""

    place: str
    """The file that has it."""
    text: str
    """From the verb on, as it is written."""
    fenced: bool
    """Whether it is a block to copy, not a mention in a sentence."""

    @property
    def verb(self) -> str:
        return self.text.split()[0]

    @property
    def words(self) -> list[str]:
        """The verb and its arguments, with placeholders filled in."""
        text = re.sub(r"\s*>>?\s*\S+$|\s\.\.\.$", "", self.text) if "--format ..." not in self.text else self.text
        for written, given in sorted(PLACEHOLDERS.items(), key=lambda pair: -len(pair[0])):
            text = re.sub(rf"(?<![\w.-]){re.escape(written)}(?![\w.])", given, text)
        return shlex.split(text)

    @property
    def is_mention(self) -> bool:
        """Whether a sentence only names it: the verb alone, or with an option that needs a value."""
        return not self.fenced and re.fullmatch(r"[a-z]+( --[a-z-]+)?", self.text) is not None


def prose(text: str) -> str:
    """Return a page's text without its blocks of code."""
    return FENCE.sub("", text)


@cache
def shell_lines() -> tuple[tuple[str, str, str], ...]:
    """Return file, language and command of each line that a reader may copy into a shell."""
    found = []
    for path in PLACES:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = [(language, body) for _, language, body in FENCE.findall(text) if language in SHELLS]
        blocks += [("", body) for body in re.findall(r"(?:^|\n\n)((?:    joulemark [^\n]*\n)+)", prose(text))]
        for language, body in blocks:
            for line in body.splitlines():
                for part in re.split(r"&&|;\s", line.partition(" #")[0]):
                    if part.strip() and not part.strip().startswith("#"):
                        found.append((str(path.relative_to(ROOT)), language, part.strip()))
    return tuple(found)


def quoted() -> Iterator[tuple[str, str]]:
    """Return file and text of each piece of code in a sentence."""
    for path in PLACES:
        for text in re.findall(r"`([^`]+)`", prose(path.read_text(encoding="utf-8"))):
            yield str(path.relative_to(ROOT)), " ".join(text.split())


@cache
def commands() -> tuple[Documented, ...]:
    """Return each command of joulemark once, wherever it is found first; blocks to copy come before mentions."""
    starts = re.compile(r"(?:^|[\s/])joulemark ([a-z]+(?:\s.*)?)$")
    found = [(place, text, True) for place, _, text in shell_lines()]
    found += [(place, text, False) for place, text in quoted() if re.match(r"(\S+/)?joulemark ", text)]
    made: dict[str, Documented] = {}
    for place, text, fenced in found:
        match = starts.search(text)
        if match and not text.startswith(("docker ", "pip ")) and "/pip " not in text and OWN not in text:
            made.setdefault(match[1].strip(), Documented(place, match[1].strip(), fenced))
    return tuple(made.values())


def python_blocks() -> Iterator[tuple[str, str]]:
    """Return file and text of each block of Python."""
    for path in PLACES:
        for _, language, body in FENCE.findall(path.read_text(encoding="utf-8")):
            if language == "python":
                yield str(path.relative_to(ROOT)), body
