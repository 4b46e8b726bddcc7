"""A recorded run as a sensor."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from busy_machine import wait_for_reads
from places import ROOT
from run_files import run_file

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.records import write
from joulemark.suite.sensors import replay, trace_file
from joulemark.suite.sensors.sampler import Sampler


@pytest.mark.slow
def test_run_is_replayed_and_labelled_as_simulated(tmp_path: Path) -> None:
    write(run_file(), tmp_path / "run.json")
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, sensors=[f"replay:{tmp_path / 'run.json'}"]):
        ready_s = time.monotonic() - origin_s
        wait_for_reads(tmp_path / "t", 2, ready_s + 1.1)
    (trace,) = trace_file.load(tmp_path / "t")
    assert trace.simulated
    package = compute_readings([trace], (ready_s + 0.1, ready_s + 1.1), "cpu")[0]
    assert package.energy_j == pytest.approx(50.0, rel=1e-3)  # the trace of `run_file` draws 50 W
    assert "replay of run.json" in trace.channels[0].source


@pytest.mark.slow
def test_values_after_the_end_of_a_replay_are_missing(tmp_path: Path) -> None:
    whole = run_file().traces[0]
    short = whole.model_copy(
        update={
            "t_s": whole.t_s[:6],
            "channels": tuple(c.model_copy(update={"values": c.values[:6]}) for c in whole.channels),
        }
    )
    write(run_file(traces=(short,)), tmp_path / "run.json")
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, sensors=[f"replay:{tmp_path / 'run.json'}"]):
        ready_s = time.monotonic() - origin_s
        time.sleep(2.0)
    package = compute_readings(trace_file.load(tmp_path / "t"), (ready_s, ready_s + 1.8), "cpu")[0]
    assert package.energy_j is None
    assert package.reason


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    trace = (ROOT / "tests/data/journals/estimate/run.trace").read_bytes()
    for name, content in {"run.json": run_file().model_dump_json().encode(), "run.trace": trace}.items():
        plain, marked = tmp_path / name, tmp_path / f"marked-{name}"
        plain.write_bytes(content)
        marked.write_bytes(b"\xef\xbb\xbf" + content)
        assert replay.load(str(marked)) == replay.load(str(plain))


@pytest.mark.parametrize(
    ("content", "message"), [("", "is empty"), ("{}", "not a joulemark run file"), (None, "No such file")]
)
def test_unusable_file_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=message):
        replay.check(str(path))
    with pytest.raises(UsageError, match=message):
        Sampler.start(tmp_path / "t", 0.0, sensors=[f"replay:{path}"])
