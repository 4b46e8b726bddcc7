"""Read the reference machines of the package: `data/<name>/*.json.gz`, and `references.toml` with their titles.

`python -m studies.reference_machines NAME RUN...` makes such files of runs.
"""

from __future__ import annotations

import gzip
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from joulemark.suite.errors import unknown
from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import parse

_FOLDER: Final = files("joulemark.suite.results.references").joinpath("data")
MIN_TRIALS: Final = 3
"""Trials of a case of `quick`; a reference with fewer is provisional."""
MIN_WINDOW_S: Final = 1.5


@dataclass(frozen=True)
class Reference:
    """A machine that was measured, with the runs it was measured in."""

    name: str
    title: str
    about: str
    """What else is known of it: how it was used, and by what its energy was measured."""
    runs: tuple[RunFile, ...]
    """Without traces and names."""

    @property
    def run_file(self) -> RunFile:
        """All cases of its runs as one run, called by the reference's name; of equal cases the later run's."""
        first = self.runs[0]
        cases = {case.id: case for run in self.runs for case in run.cases}
        idle = tuple(entry for run in self.runs for entry in run.idle)
        probes = tuple(probe for run in self.runs for probe in run.probes)
        packages = {name: version for run in self.runs for name, version in run.machine.packages.items()}
        frameworks = {name: info for run in self.runs for name, info in run.machine.frameworks.items()}
        machine = first.machine.model_copy(
            update={
                "hostname": self.called,
                "fingerprint": f"reference {self.name}",
                "packages": packages,
                "frameworks": frameworks,
            }
        )
        return first.model_copy(
            update={
                "run": first.run.model_copy(update={"id": self.name}),
                "machine": machine,
                "cases": tuple(cases.values()),
                "probes": probes,
                "idle": idle,
            }
        )

    @property
    def called(self) -> str:
        """Its title, with `(provisional)` where it is."""
        return self.marked(self.title)

    def marked(self, name: str) -> str:
        """Return `name`, a name of it, with `(provisional)` where it is."""
        return f"{name} (provisional)" if self.caveat else name

    def none_of(self, count: int, whose: str) -> str:
        """Return that it has none of the `count` cases of `whose`, as in "this run's", and where its own are listed."""
        lacks = f"does not have {whose} case" if count == 1 else f"has none of {whose} {count} cases"
        return f"{self.name} {lacks}; `joulemark references --json` lists its {len(self.run_file.cases)}."

    def contains(self, run_file: RunFile) -> bool:
        """Return whether `run_file` is one of the runs that it was measured in."""
        return run_file.run.id in {run.run.id for run in self.runs}

    def own_run_sentences(self, run_file: RunFile) -> tuple[str, ...]:
        """Return the sentence that `run_file` is part of it; none where it is not."""
        return (f"This run is part of that reference, {self.called}.",) if self.contains(run_file) else ()

    @property
    def measured(self) -> tuple[str, ...]:
        """Days on which it was measured, ISO 8601."""
        return tuple(sorted({run.run.started_at[:10] for run in self.runs}))

    @property
    def caveat(self) -> str:
        """Why it is provisional; empty where every case has enough trials."""
        trials = [len(case.ok_trials) for run in self.runs for case in run.cases if case.ok_trials]
        if not trials or min(trials) >= MIN_TRIALS:
            return ""
        lengths = [t.window_length_s for run in self.runs for case in run.cases for t in case.ok_trials]
        return (
            f"provisional: {_span(min(trials), max(trials))} trial{'s' if max(trials) > 1 else ''} a case, in windows "
            f"of {_span(round(min(lengths)), round(max(lengths)))} s"
        )


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def names() -> tuple[str, ...]:
    """Return the names of all reference machines."""
    return tuple(_table())


def check_names(chosen: Sequence[str] | None) -> None:
    """Raise UsageError for a name among `chosen` that no reference machine has."""
    for name in chosen or ():
        if name not in names():
            raise unknown("reference machine", name, names())


def load(name: str) -> Reference:
    """Return one reference machine. UsageError for an unknown name."""
    check_names([name])
    return _load(name)


def load_all(chosen: Sequence[str] | None = None, beside: Sequence[RunFile] = ()) -> tuple[Reference, ...]:
    """Return the reference machines of the names `chosen`. UsageError for an unknown name.

    For None they are all but those that every run of `beside` is part of.
    """
    if chosen is not None:
        return tuple(load(name) for name in dict.fromkeys(chosen))
    every = tuple(load(name) for name in names())
    return tuple(each for each in every if not beside or not all(map(each.contains, beside)))


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_FOLDER.joinpath("references.toml").read_text(encoding="utf-8"))


@cache
def _load(name: str) -> Reference:
    paths = sorted(
        (path for path in _FOLDER.joinpath(name).iterdir() if path.name.endswith(".json.gz")),
        key=lambda path: path.name,
    )
    runs = tuple(parse(gzip.decompress(path.read_bytes()), f"{name}/{path.name}") for path in paths)
    entry = _table()[name]
    return Reference(name, entry["title"], entry["about"], runs)
