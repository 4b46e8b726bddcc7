"""Which engine a run is for, and whether `--resume` names a run on several nodes. Imports little."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.system.ranks import span

LOCAL: Final = "local"
RAY: Final = "ray"


def is_cluster(given: Mapping[str, Any]) -> bool:
    """Return whether other machines measure. Raises UsageError for an engine that there is not."""
    engine, _, address = (given["on"] or LOCAL).partition(":")
    if engine not in (LOCAL, RAY):
        raise unknown("engine in --on", engine, (LOCAL, RAY))
    if engine == LOCAL and address:
        raise UsageError(f"--on local takes no address, found {address!r:.80}.")
    if engine == LOCAL and given["nodes"] is not None:
        node = span.find()
        if node is None:
            raise UsageError("--nodes says how many nodes of a cluster measure: add --on ray, or --on ray:HOST:PORT.")
        if node.nodes != given["nodes"]:
            raise UsageError(f"--nodes {given['nodes']}, but {span.NODES} is {node.nodes}: give the same number.")
        if not given["ranks"]:
            raise UsageError("--nodes here divides the ranks of a case among nodes: add --ranks N.")
    return engine != LOCAL


def find_job(run: str | None, directory: Path | None) -> Path | None:
    """Return the path of the job file that `--resume RUN` names; None where it names a run, or nothing."""
    if run is None:
        return None
    from joulemark.suite.cluster import job_file

    return job_file.find(run, directory)
