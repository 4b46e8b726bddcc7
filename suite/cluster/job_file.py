"""The job file of a run on several nodes: what was asked for, and how far each part is. `--resume` goes on from it.

`<id>.job` is one JSON document beside the run files of its nodes; it is replaced in one step whenever a part ends.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from joulemark.suite.cluster.identity import Identity
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Record, RunFile, Settings, write_text
from joulemark.suite.records.base import Count, PositiveCount
from joulemark.suite.results.jobs.members import Member, members
from joulemark.suite.results.run_files import read as read_run
from joulemark.suite.results.store import kept_runs
from joulemark.suite.system.text import one_line

SUFFIX: Final = ".job"
Status = Literal["waiting", "ok", "failed", "interrupted"]


class Part(Record):
    """One node's part of a job."""

    number: Count
    host: str
    """Host name and address of the node, for people."""
    identity: Identity | None = None
    status: Status = "waiting"
    """`ok`: its run is complete, whatever became of its cases; `interrupted`: its run holds what was finished."""
    reason: str = ""
    exit_code: int | None = None
    """Of `joulemark run` on the node; None where none was returned."""
    run: str | None = None
    """Id of its run, whose file is beside the job's; None if none came home."""


class JobFile(Record):
    """A run on several nodes."""

    schema_version: Literal[1] = 1
    id: str
    engine: Literal["ray"]
    address: str = ""
    """Of the cluster, as it was given."""
    command: tuple[str, ...]
    settings: Settings
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]

    @property
    def count(self) -> PositiveCount:
        """Number of nodes."""
        return len(self.parts)

    @property
    def spans(self) -> bool:
        """Whether its ranks are divided among the nodes, so that no part can be done without the others."""
        return self.settings.nodes is not None

    @property
    def complete(self) -> bool:
        """Whether every part is measured."""
        return all(part.status == "ok" for part in self.parts)

    def with_part(self, part: Part) -> JobFile:
        """Return the job with another state of one part."""
        parts = tuple(part if each.number == part.number else each for each in self.parts)
        return self.model_copy(update={"parts": parts})

    def lost(self) -> dict[int, str]:
        """Return why each part that has no run file has none, by number."""
        return {part.number: part.reason or "it was not measured" for part in self.parts if part.run is None}


def path_of(job: str, directory: Path) -> Path:
    """Return the path of a job file."""
    return directory / f"{job}{SUFFIX}"


def write(job: JobFile, directory: Path) -> Path:
    """Write the file of a job, durably, and return its path."""
    path = path_of(job.id, directory)
    write_text(path, job.model_dump_json(indent=1) + "\n", private=True)
    return path


def read(path: Path) -> JobFile:
    """Return the job in a file. UsageError if it is none."""
    try:
        return JobFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UsageError(f"{path} is not a job file: {one_line(problem)}.") from None


def find(name: str, directory: Path | None) -> Path | None:
    """Return the path of the job that `name` names: a path, an id, a unique beginning of one, or `latest`.

    None where no job is named so: it may be the name of a run. `latest` is a job if the latest run is of one.
    """
    if (path := find_exactly(name, directory)) is not None:
        return path
    if directory is None or not directory.is_dir():
        return None
    jobs, runs = sorted(directory.glob(f"*{SUFFIX}")), kept_runs(directory)
    if name == "latest":
        if not jobs or (runs and runs[-1].stem > jobs[-1].stem and not _has_run(jobs[-1], runs[-1].stem)):
            return None
        return jobs[-1]
    matching = [job for job in jobs if job.stem.startswith(name)]
    return matching[0] if len(matching) == 1 and not any(run.stem.startswith(name) for run in runs) else None


def find_exactly(name: str, directory: Path | None) -> Path | None:
    """Return the path of the job whose path or whole id `name` is; None where there is none."""
    path = Path(name)
    if path.suffix == SUFFIX and path.is_file():
        return path
    path = path_of(name, directory) if directory is not None else path
    return path if path.suffix == SUFFIX and os.sep not in name and path.is_file() else None


def _has_run(path: Path, run: str) -> bool:
    return any(part.run == run for part in read(path).parts)


def nodes_of(files: Sequence[tuple[str, RunFile]]) -> tuple[list[Member], dict[int, str]]:
    """Return the nodes of a job from their run files with their paths, and why others have none, as far as is known.

    Where the job's own file is beside them it says which count: a part may have been begun on a node that was lost.
    Raises UsageError as `members` does.
    """
    found = members(files)
    path = path_of(found[0].node.job, Path(found[0].name).parent)
    if not path.is_file():
        return found, {}
    job = read(path)
    runs = {part.run for part in job.parts}
    return [member for member in found if member.run_file.run.id in runs] or found, job.lost()


def paths(job: JobFile, directory: Path) -> list[Path]:
    """Return the paths of a job's run files, by node. UsageError where none has come home."""
    found = [directory / f"{part.run}.json" for part in job.parts if part.run is not None]
    if not found:
        raise UsageError(f"nothing of job {job.id} has come home: --resume {job.id} measures it.")
    return found


def run_files(job: JobFile, directory: Path) -> list[tuple[str, RunFile]]:
    """Return the run files of a job with their paths, by node. UsageError where none has come home."""
    return [(str(path), read_run(path)) for path in paths(job, directory)]
