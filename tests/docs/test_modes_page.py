"""docs/modes.md is what the kept run says, and the kept run has every workload."""

from __future__ import annotations

import importlib.util
import json

from places import ROOT

from joulemark.workloads.registry import workloads

RUN = json.loads((ROOT / "docs" / "results" / "modes.json").read_text())


def test_page_is_that_of_the_run() -> None:
    spec = importlib.util.spec_from_file_location("modes", ROOT / "studies" / "modes.py")
    assert spec is not None
    assert spec.loader is not None
    modes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(modes)
    assert (ROOT / "docs" / "modes.md").read_text() == modes.document(RUN)


def test_no_workload_is_missing_and_none_failed() -> None:
    seen = {tuple(name.split("/")[:2]) for name in RUN["cases"]}
    assert seen == {(workload.id, phase) for workload in workloads().values() for phase in workload.phases}
    assert {case["outcome"] for case in RUN["cases"].values()} == {"passed"}
