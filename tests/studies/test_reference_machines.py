"""The runs of a reference machine: packed without names and traces, and readable."""

from __future__ import annotations

import gzip
from pathlib import Path

from report_files import full

from joulemark.suite.records import write
from joulemark.suite.results.run_files import parse
from studies import reference_machines


def test_written_run_has_the_same_results_and_nothing_else(tmp_path: Path) -> None:
    run = full()
    write(run, tmp_path / "run.json")
    (tmp_path / "data" / "new").mkdir(parents=True)
    (tmp_path / "data" / "new" / "old.json.gz").write_text("")  # replaced
    (path,) = reference_machines.write("new", [tmp_path / "run.json"], tmp_path / "data")
    assert [kept.name for kept in path.parent.iterdir()] == [path.name]
    kept = parse(gzip.decompress(path.read_bytes()), "kept")
    assert kept.machine.hostname == "(left out)"
    assert kept.traces == ()
    assert [case.summary.throughput for case in kept.cases if case.summary] == [
        case.summary.throughput for case in run.cases if case.summary
    ]
