"""What an anonymous page leaves out, and what it keeps."""

from __future__ import annotations

import json

from report_files import full
from run_files import machine

from joulemark.reports.anonymous import anonymous
from joulemark.reports.model import build
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, RunFile


def with_secret(value: object, secret: str) -> object:
    """Return a document with `secret` added to every free text."""
    if isinstance(value, dict):
        return {key: with_secret(item, secret) if key not in CLOSED_FIELDS else item for key, item in value.items()}
    if isinstance(value, list):
        return [with_secret(item, secret) for item in value]
    return f"{value} {secret}" if isinstance(value, str) else value


# Closed vocabularies and names of workloads: they cannot hold a secret.
CLOSED_FIELDS = {
    *("status", "kind", "unit", "basis", "signal", "when", "isolation", "compile_cache", "steady", "code", "vendor"),
    *("started_at", "finished_at", "interval_start", "retrieved_at", "fingerprint", "boot_id", "component", "scope"),
    *("workload", "size", "phase", "framework", "mode", "device", "precision", "allocator", "id", "item", "profile"),
    *("workload_version", "variant", "suite_version", "sensor", "reason_code", "settings", "tool", "version"),
}


def test_host_user_and_paths_are_left_out_everywhere() -> None:
    secret = "in /home/jane/work/run.py on bench-1 by jane, C:\\Users\\jane\\x and ~/private/y"
    notice = Notice.of(Code.ENVIRONMENT_KEPT, "LD_PRELOAD=/home/jane/lib.so")
    document = with_secret(json.loads(full(notices=(notice,)).model_dump_json()), secret)
    assert isinstance(document, dict)
    document["machine"]["hostname"] = "bench-1"
    run = RunFile.model_validate(document)
    hidden = anonymous(run).model_dump_json()
    for name in ("jane", "bench-1", "/home", "private", "C:\\\\"):
        assert name not in hidden, name
    assert len(anonymous(run).cases) == len(run.cases)
    report = build([run], anonymous=True)
    assert "jane" not in repr(report)
    assert "bench-1" not in repr(report)


def test_two_hosts_remain_two() -> None:
    """Their sensors' errors do not cancel, whatever the hosts are called."""
    runs = [full(), full(id="another", machine=machine(hostname="bench-2"))]
    named, hidden = (build(runs, anonymous=is_anonymous).comparison for is_anonymous in (False, True))
    assert named is not None
    assert hidden is not None
    assert [pair.energy for pair in named.pairs] == [pair.energy for pair in hidden.pairs]
    assert named.pairs[0].energy.error_range != (1.0, 1.0)
    assert "bench" not in repr(build(runs, anonymous=True))


def test_kernel_paths_ids_units_and_numbers_are_kept() -> None:
    run = full(machine=machine(hostname="cnn"))
    channel = run.traces[0].channels[0].model_copy(update={"source": "/sys/class/powercap/intel-rapl:0, image/s"})
    run = run.model_copy(update={"traces": (run.traces[0].model_copy(update={"channels": (channel,)}),)})
    hidden = anonymous(run)
    assert hidden.traces[0].channels[0].source == "/sys/class/powercap/intel-rapl:0, image/s"
    assert [case.id for case in hidden.cases] == [case.id for case in run.cases]
    assert [case.summary for case in hidden.cases] == [case.summary for case in run.cases]
    assert [case.workload for case in hidden.cases] == [case.workload for case in run.cases]
