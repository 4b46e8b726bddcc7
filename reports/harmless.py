"""What in a text is known to be harmless.

Words are that stand in Joulemark's own source, which everybody has: names of workloads, frameworks and sensors, and all
that its messages say. So are numbers, and makers' names and model numbers of processors. Whatever else is in a text is
left out: names of people, hosts, projects and files, addresses, credentials.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import joulemark
from joulemark import reports, suite, workloads
from joulemark.suite.system.redaction import redacted
from joulemark.suite.system.text import LEFT_OUT

HIDDEN: Final = LEFT_OUT

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NUMBER: Final = re.compile(
    r"[~\u2265\u2264\u00b1+-]?(?:\d{1,6}(?:\.\d{1,2})?|\d?\.\d{1,6}|\d\.\d{1,5})(?:e[+-]?\d{1,3})?%?"
)
"""Not the digits of an account, nor of coordinates: two decimals of a degree are a kilometre."""
_ROW_OF_NUMBERS: Final = re.compile(r"[+(]*\d+(?:[)\s./-]+[(]?\d+){3,}")
"""Telephone numbers, and the numbers of cards."""
_VERSION: Final = re.compile(r"\d{1,4}(?:\.\d{1,5}){1,2}(?:(?:a|b|rc|\.dev|\.post)\d+)?(?:\+(?:cpu|cu\d+|rocm[\d.]+))?")
"""Not four numbers, an IP address."""
_MODEL_NUMBER: Final = re.compile(
    r"(?:[A-Z]{0,4}|[iv])\d{1,5}[A-Z]{0,3}(?:-[A-Z]{0,4}\d{1,5}[A-Z]{0,3})*|\d\.\d{1,2}GHz"
)
_KERNEL_PATH: Final = re.compile(r"/(?:sys|proc|dev)(?:/[\w.:-]+)+")
"""The kernel's own trees are the same on all machines, and say where a reading comes from."""
_TOKEN: Final = re.compile(r"([(\[{<\"'`]*)(.*?)([)\]}>\"'`.,;:!?\u2026]*)", re.DOTALL)
_PUNCTUATION: Final = frozenset("-+=<>~|/&*%[](){}.,;:\u2013\u00b1\u2265\u2264\u00d7\u2192\u00b7\u2026")
_SYSTEM: Final = re.compile(r"(Linux|Darwin|Windows) \d+(?:\.\d+){0,2}")
_ENDS: Final = re.compile(r"^-{1,2}(?=[a-z])|'s$|:\d{1,3}(?=$|[+:])|\((?:s|R|TM)\)")
"""What a word may have beside its parts: an option's dashes, a genitive, a device's number, a plural."""

_SYMBOLS: Final = frozenset({"CO\u2082", "CO\u2082e", "\u00b5s", "\u00b5J", "\u00b5g"})
_HARDWARE: Final = frozenset(
    """
    intel xeon core amd epyc ryzen threadripper pro gold silver platinum bronze ultra genuine radeon graphics instinct
    nvidia geforce rtx gtx titan tesla quadro ada generation laptop max apple arm neoverse cortex ampere altra graviton
    with virtual machine qemu kvm common docker container microsoft vmware xen google amazon r tm cpu gpu processor
    skylake cascadelake icelake sapphirerapids haswell broadwell milan rome genoa pcie sxm nvl gb
    """.split()  # noqa: SIM905  sixty strings would be a column each
)


@functools.cache
def _own_words() -> frozenset[str]:
    """Return the words in Joulemark's own source, in small letters."""
    files = list(Path(joulemark.__file__).parent.glob("*.py"))
    for package in (suite, workloads, reports):
        folder = Path(str(package.__file__)).parent
        files += [path for kind in ("py", "toml", "csv") for path in folder.rglob(f"*.{kind}")]
    texts = (path.read_text("utf-8", "replace") for path in files)
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


@functools.lru_cache(maxsize=10_000)
def harmless_text(text: str, names: frozenset[str] = frozenset()) -> str:
    """Return `text` with each word left out that is not known to be harmless, or is in `names`, in small letters."""
    text = _ROW_OF_NUMBERS.sub("\0", redacted(text))
    return _filtered(text, lambda core: is_harmless(core, names))


def hardware(name: str) -> str:
    """Return the name of a processor or GPU without what is neither known nor a model number."""
    return _filtered(
        name, lambda core: core.lower() in _HARDWARE or is_harmless(core) or _MODEL_NUMBER.fullmatch(core) is not None
    )


def version(text: str) -> str:
    """Return a version without a local part that is not known."""
    match = _VERSION.match(text)
    return match[0] if match else harmless_text(text)


def system(text: str) -> str:
    """Return the name and the version of an operating system without what a distribution adds."""
    match = _SYSTEM.match(text)
    return match[0] if match else HIDDEN


def _filtered(text: str, keeps: Callable[[str], bool]) -> str:
    shown: list[str] = []
    for token in text.split():
        match = _TOKEN.fullmatch(token)
        core = match[2] if match else token
        if keeps(core) or _PUNCTUATION.issuperset(core):
            shown.append(token)
        elif shown[-1:] != [HIDDEN]:
            shown.append(HIDDEN)
    return " ".join(shown)


def is_harmless(core: str, names: frozenset[str] = frozenset()) -> bool:
    """Return whether a word, number, name of parts or path of the kernel is known to be harmless."""
    if _NUMBER.fullmatch(core) or _VERSION.fullmatch(core):
        return True
    if _KERNEL_PATH.fullmatch(core):
        return all(_is_part(part, names) for part in re.split(r"[/.:_-]", core) if part)
    parts = re.split(r"[-_/=.]", _ENDS.sub("", core))
    return _WORD.match(parts[0]) is not None and all(_is_part(part, names) for part in parts)


def _is_part(part: str, names: frozenset[str]) -> bool:
    known = part.lower() in _own_words() or part in _SYMBOLS or re.fullmatch(r"\d{1,4}", part)
    return bool(known) and part.lower() not in names
