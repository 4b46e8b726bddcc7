"""A job file is found as a run is, and says which run files count."""

from __future__ import annotations

from pathlib import Path

import pytest
from job_files import node_file
from local_nodes import node

from joulemark.suite.cluster import job_file
from joulemark.suite.cluster.job_file import JobFile, Part
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings, write
from joulemark.suite.results.jobs.total import job_total

ID = "20261101T115900Z-0001"


def kept(directory: Path, *runs: str | None, lost: str = "its node was lost") -> JobFile:
    """Return a job whose parts have these runs, written into `directory`."""
    parts = tuple(
        Part(
            number=i,
            host="node",
            identity=node(i).identity,
            run=run,
            status="ok" if run else "failed",
            reason="" if run else lost,
        )
        for i, run in enumerate(runs)
    )
    job = JobFile(id=ID, engine="ray", command=("joulemark", "run"), settings=Settings(), parts=parts)
    job_file.write(job, directory)
    return job


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    job = kept(tmp_path, "20261101T120000Z-0000", None)
    assert job_file.read(tmp_path / f"{ID}.job") == job
    assert (job.count, job.complete) == (2, False)


@pytest.mark.parametrize("text", ["", "{}", '{"id": 3}', "[]"])
def test_what_is_no_job_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.job").write_text(text)
    with pytest.raises(UsageError, match="is not a job file"):
        job_file.read(tmp_path / "x.job")


def test_a_job_is_named_as_a_run_is(tmp_path: Path) -> None:
    path = tmp_path / f"{ID}.job"
    assert job_file.find("latest", tmp_path) is None
    kept(tmp_path, "20261101T120000Z-0000")
    for name in (str(path), ID, ID[:12], "latest"):
        assert job_file.find(name, tmp_path) == path
    assert job_file.find("2025", tmp_path) is None
    assert job_file.find(ID, tmp_path / "absent") is None


def test_latest_is_the_job_of_the_latest_run(tmp_path: Path) -> None:
    """The run of a node begins after its job. One that was measured here since is the latest."""
    kept(tmp_path, "20261101T120000Z-0000")
    write(node_file(0), tmp_path / "20261101T120000Z-0000.json")
    assert job_file.find("latest", tmp_path) == tmp_path / f"{ID}.job"
    write(node_file(1), tmp_path / "20261101T130000Z-0000.json")
    assert job_file.find("latest", tmp_path) is None


def test_the_job_file_says_which_runs_count(tmp_path: Path) -> None:
    """Node 0 was lost with a part of its run, and another one did it: the first file is no part of the sum."""
    runs = [node_file(rank, job=ID, apart=True) for rank in (0, 0)]
    files = [(str(tmp_path / f"{i}.json"), run) for i, run in enumerate(runs)]
    runs[1] = runs[1].model_copy(update={"run": runs[1].run.model_copy(update={"id": "20261101T120000Z-0009"})})
    files[1] = files[1][0], runs[1]
    kept(tmp_path, "20261101T120000Z-0009", None)
    nodes, lost = job_file.nodes_of(files)
    assert [each.run_file.run.id for each in nodes] == ["20261101T120000Z-0009"]
    assert lost == {1: "its node was lost"}
    missing = job_total(nodes, lost).missing
    assert [(each.what, each.reason) for each in missing] == [("node 1", "its node was lost")]
