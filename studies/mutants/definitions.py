"""Mutants: what is wrong, where, and which tests should notice."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = ("vision", "language", "language_models", "generative", "kernels", "training", "idioms", "one_sided")
SIDES = ("pytorch", "tensorflow")
TESTS = tuple(
    f"tests/workloads/{name}"
    for name in (
        "test_golden.py",
        "test_training.py",
        "test_idioms.py",
        "parity/test_parity.py",
        "test_generation.py",
        "test_models.py",
        "test_experts.py",
        "test_input_pipeline.py",
        "test_substitutes.py",
        "test_inputs.py",
        "test_half_precision.py",
        "test_sparse.py",
        "test_conformance.py",
    )
)
"""Files of tests that a fault in a workload is looked for in, in this order."""


class StudyError(Exception):
    """The study cannot go on. The message is for the user."""


@dataclass(frozen=True)
class Edit:
    """One replacement in one file."""

    file: str
    """Relative to the repository."""
    old: str
    """Occurs exactly once in the file."""
    new: str

    def apply(self, root: Path) -> None:
        """Edit the file below `root`.

        Raises:
            StudyError: The old text does not occur exactly once.
        """
        path = root / self.file
        text = path.read_text()
        if (count := text.count(self.old)) != 1:
            raise StudyError(f"{self.file} has {self.old!r} {count} times, not once: correct the mutant's `edits`")
        path.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class Mutant:
    """A fault."""

    id: str
    fault: str
    """What is wrong, in words."""
    workload: str | None
    """Id of the workload whose tests are run; None: all tests of the files."""
    edits: Sequence[Edit]
    tests: Sequence[str] = TESTS

    @property
    def side(self) -> str:
        """Where the fault is: `both` frameworks, one of them, or the `spec`; in their `kits` or `adapters`."""
        parts = {part for edit in self.edits for part in Path(edit.file).with_suffix("").parts}
        sides = [side for side in SIDES if side in parts]
        side = "spec" if not sides else "both" if len(sides) == 2 else sides[0]
        place = "kit" if "kits" in parts else "adapter" if "frameworks" in parts else ""
        return f"{side}, {place}" if place else side

    @property
    def selection(self) -> list[str]:
        """Arguments of pytest that select its tests."""
        return [*self.tests, *(("-k", self.workload) if self.workload else ())]


def edits(rows: Sequence[Sequence[str]]) -> list[Edit]:
    """Return edits; a file named `{framework}` stands for that of each framework."""
    return [
        Edit(file.format(framework=side), old, new)
        for file, old, new in rows
        for side in (SIDES if "{framework}" in file else SIDES[:1])
    ]


def read(folder: Path = FOLDER, files: Sequence[str] = FILES) -> Mapping[str, Mutant]:
    """Return all mutants by id, in the order of the files."""
    mutants: dict[str, Mutant] = {}
    for file in files:
        for name, entry in tomllib.loads((folder / f"{file}.toml").read_text()).items():
            if name in mutants:
                raise StudyError(f"two mutants have the id {name}: rename one of them")
            tests = {"tests": [f"tests/workloads/{test}" for test in entry["tests"]]} if "tests" in entry else {}
            mutants[name] = Mutant(name, entry["fault"], entry.get("workload"), edits(entry["edits"]), **tests)
    return mutants
