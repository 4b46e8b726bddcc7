"""What an anonymous page leaves out, and what it keeps."""

from __future__ import annotations

import json

from report_files import full
from run_files import machine

from joulemark.reports.model import anonymous, build
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, RunFile


def planted(value: object, secret: str) -> object:
    """Every free text of a document with `secret` put into it."""
    if isinstance(value, dict):
        return {key: planted(item, secret) if key not in KEPT else item for key, item in value.items()}
    if isinstance(value, list):
        return [planted(item, secret) for item in value]
    return f"{value} {secret}" if isinstance(value, str) else value


# Closed vocabularies and names of work: they cannot hold a secret.
KEPT = {
    *("status", "kind", "unit", "basis", "signal", "when", "isolation", "compile_cache", "steady", "code", "vendor"),
    *("started_at", "finished_at", "interval_start", "retrieved_at", "fingerprint", "boot_id", "component", "scope"),
    *("workload", "size", "phase", "framework", "mode", "device", "precision", "allocator", "id", "item", "profile"),
    *("workload_version", "variant", "suite_version", "sensor", "reason_code", "settings", "tool", "version"),
}


def test_anonymous_leaves_out_host_user_and_paths_everywhere() -> None:
    secret = "in /home/jane/work/run.py on bench-1 by jane, C:\\Users\\jane\\x and ~/private/y"
    notice = Notice.of(Code.ENVIRONMENT_KEPT, "LD_PRELOAD=/home/jane/lib.so")
    document = planted(json.loads(full(notices=(notice,)).model_dump_json()), secret)
    assert isinstance(document, dict)
    document["machine"]["hostname"] = "bench-1"
    run = RunFile.model_validate(document)
    hidden = anonymous(run).model_dump_json()
    for word in ("jane", "bench-1", "/home", "private", "C:\\\\"):
        assert word not in hidden, word
    assert len(anonymous(run).cases) == len(run.cases)
    report = build([run], anonymous=True)
    assert "jane" not in repr(report)
    assert "bench-1" not in repr(report)


def test_anonymous_keeps_two_hosts_apart() -> None:
    """Their sensors' errors do not cancel, whatever they are called."""
    runs = [full(), full(machine=machine(hostname="bench-2"))]
    runs[1] = runs[1].model_copy(update={"run": runs[1].run.model_copy(update={"id": "another"})})
    named, hidden = (build(runs, anonymous=unnamed).comparison for unnamed in (False, True))
    assert named is not None
    assert hidden is not None
    assert [pair.energy for pair in named.pairs] == [pair.energy for pair in hidden.pairs]
    assert named.pairs[0].energy.gain != (1.0, 1.0)
    assert "bench" not in repr(build(runs, anonymous=True))


def test_anonymous_keeps_the_kernels_paths_ids_units_and_numbers() -> None:
    run = full(machine=machine(hostname="cnn"))
    source = run.traces[0].channels[0].model_copy(update={"source": "/sys/class/powercap/intel-rapl:0, image/s"})
    run = run.model_copy(update={"traces": (run.traces[0].model_copy(update={"channels": (source,)}),)})
    hidden = anonymous(run)
    assert hidden.traces[0].channels[0].source == "/sys/class/powercap/intel-rapl:0, image/s"
    assert [case.id for case in hidden.cases] == [case.id for case in run.cases]
    assert [case.summary for case in hidden.cases] == [case.summary for case in run.cases]
    assert [case.workload for case in hidden.cases] == [case.workload for case in run.cases]


# --- thinning and embedding -------------------------------------------------------------------------------------------
