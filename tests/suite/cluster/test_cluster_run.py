"""A run on several nodes: what comes home, what a lost node leaves, and how it goes on. Nodes run the real command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import FAST_ROUNDS
from environments import known, require
from local_nodes import LocalNodes

from joulemark.suite.cli.support.prepare import parse_interpreters
from joulemark.suite.cluster import job_file
from joulemark.suite.cluster.choice import assign
from joulemark.suite.cluster.cluster_run import ClusterRun, NoListener
from joulemark.suite.cluster.job_file import JobFile, Part
from joulemark.suite.records import Settings
from joulemark.suite.results.run_files import read
from joulemark.suite.settings import validated

pytestmark = pytest.mark.slow
require("torch")


def settings(rounds: int = 2) -> Settings:
    import tomllib

    given = {
        **tomllib.loads(FAST_ROUNDS),
        "profile": "fast",
        "workload": ["matmul"],
        "framework": ["pytorch"],
        "mode": ["eager"],
        "rounds": rounds,
        "offline": True,
        "threads": 1,
        "sensor": ["simulated:rapl/constant"],
        "python": parse_interpreters(known("pytorch")[1::2]),
    }
    return validated(given)


def new_job(engine: LocalNodes, chosen: Settings) -> JobFile:
    parts = tuple(Part(number=i, host=node.label, identity=node.identity) for i, node in enumerate(engine.nodes()))
    return JobFile(id="20261101T120000Z-0001", engine="ray", command=(), settings=chosen, parts=parts)


class Watching(NoListener):
    """Does something at a line of a node."""

    def __init__(self, number: int, text: str, act: object) -> None:
        self.number, self.text, self.act = number, text, act

    def on_line(self, number: int, text: str) -> None:
        if number == self.number and self.text in text:
            self.text = "\0"
            self.act()  # type: ignore[operator]


def test_a_lost_node_is_a_failed_part_and_resume_does_what_is_missing(tmp_path: Path) -> None:
    engine, out = LocalNodes(tmp_path, 2), tmp_path / "out"
    out.mkdir()
    watching = Watching(1, "[1/", lambda: engine.lost.add(1))
    first = ClusterRun(new_job(engine, settings(3)), engine, out, watching)
    assert first.run(dict(enumerate(engine.nodes()))) is False
    assert [part.status for part in first.job.parts] == ["ok", "failed"]
    assert first.job.parts[1].reason == "its node was lost"
    assert first.job.lost() == {1: "its node was lost"}
    assert job_file.read(job_file.path_of(first.job.id, out)) == first.job
    assert [path.stem for path in out.glob("*.json")] == [first.job.parts[0].run]  # the rest is kept

    engine.lost.clear()
    second = ClusterRun(first.job, engine, out, NoListener())
    assert second.run(assign(first.job, engine.nodes())) is False
    assert second.job.complete
    assert second.job.parts[0] == first.job.parts[0]  # it was not measured again
    runs = [read(out / f"{part.run}.json") for part in second.job.parts]
    assert [(run.node.rank, run.node.count, run.node.job, run.node.apart) for run in runs if run.node] == [
        (0, 2, first.job.id, True),
        (1, 2, first.job.id, True),
    ]
    assert [len(run.cases[0].trials) for run in runs] == [3, 3]
    assert len(runs[1].run.segments) == 2  # the node kept what it had finished, and went on with that
    assert not list((tmp_path / "node1").glob("cluster/*/*"))  # and keeps nothing once it has come home


def test_ctrl_c_brings_home_what_is_finished_and_resume_sends_it_back(tmp_path: Path) -> None:
    engine, out = LocalNodes(tmp_path, 1), tmp_path / "out"
    out.mkdir()

    def interrupt() -> None:
        raise KeyboardInterrupt

    first = ClusterRun(new_job(engine, settings(3)), engine, out, Watching(0, "[1/", interrupt))
    assert first.run(dict(enumerate(engine.nodes()))) is True
    part = first.job.parts[0]
    assert (part.status, part.exit_code) == ("interrupted", 130)
    assert part.run is not None
    begun = len(read(out / f"{part.run}.json").cases[0].trials)
    assert 1 <= begun < 3

    second = ClusterRun(first.job, engine, out, NoListener())
    assert second.run(assign(first.job, engine.nodes())) is False
    run = read(out / f"{part.run}.json")
    assert (second.job.complete, len(run.cases[0].trials), len(run.run.segments)) == (True, 3, 2)
    assert engine.assignments[-1].run_id == part.run


def test_a_node_that_cannot_run_it_says_why(tmp_path: Path) -> None:
    engine, out = LocalNodes(tmp_path, 1), tmp_path / "out"
    out.mkdir()
    wrong = settings().model_copy(update={"python": {"pytorch": "/nowhere/python"}})
    run = ClusterRun(new_job(engine, wrong), engine, out, NoListener())
    run.run(dict(enumerate(engine.nodes())))
    part = run.job.parts[0]
    assert (part.status, part.exit_code, part.run) == ("failed", 2, None)
    assert part.reason.startswith("cannot run /nowhere/python")


def test_a_dry_run_measures_nothing(tmp_path: Path) -> None:
    import zlib

    engine = LocalNodes(tmp_path, 1)
    run = ClusterRun(new_job(engine, settings()), engine, tmp_path / "out", NoListener())
    (outcome,) = run.dry_run(dict(enumerate(engine.nodes()))).values()
    assert [case["reason"] for case in json.loads(zlib.decompress(outcome.run_data))["cases"]] == [None]
    assert not list(tmp_path.rglob("*.journal"))
    assert not (tmp_path / "out").exists()
