"""What XLA's compiled code does, counted in the text form of a module after all optimisation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

INSTRUCTION: Final = re.compile(r"\s*(?:ROOT )?%?[\w.-]+ = .+? ([a-z][\w-]*)\(")
"""An instruction, and its opcode."""
LOOP: Final = re.compile(r"\b(?:body|condition)=%?([\w.-]+)")
NO_WORK: Final = frozenset({"parameter", "constant", "tuple", "get-tuple-element", "bitcast"})


def hlo_kernels(text: str) -> float:
    """Return the kernels of a module: the instructions of the entry and of the bodies of loops.

    Whatever is fused is one instruction there.
    """
    lines = text.splitlines()
    loops = {name for line in lines for name in LOOP.findall(line)}
    return float(
        sum(
            code not in NO_WORK
            for name, codes in _computations(lines)
            if name.startswith("ENTRY") or name in loops
            for code in codes
        )
    )


def _computations(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each computation of a module, behind `ENTRY ` for the one that is called, and its opcodes."""
    name, codes = "", list[str]()
    for line in lines:
        if line.endswith("{") and not line.startswith((" ", "HloModule")):
            start = line.removeprefix("ENTRY ").lstrip("%")
            name, codes = ("ENTRY " if line.startswith("ENTRY ") else "") + start.split(" ")[0], []
        elif line.startswith("}"):
            yield name, codes
        elif match := INSTRUCTION.match(line):
            codes.append(match[1])
