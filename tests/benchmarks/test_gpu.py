"""`python -m benchmarks.gpu` on the CPU: it writes its JSON whatever is missing, crashes or takes too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nvml_library
import pytest
from command import FAST, environment
from environments import environment_with, require
from nvml_library import FakeGpu
from places import ROOT, SUPPORT

from benchmarks import gpu_table
from benchmarks.gpu_sweep import sweep
from joulemark.suite.results.run_files import parse
from joulemark.workloads.registry import workloads

PARTS = ["doctor", "product", "meter", "quick", "workloads"]
GPU = FakeGpu("GPU-aaaa1111-0000-0000-0000-000000000000", 250.0, "tick")
SETTINGS = 'framework = ["pytorch"]\nthreads = 1\n'
"""Of what `joulemark run` measures; the script's own measurements take both frameworks."""


@pytest.fixture(scope="module")
def pytorch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment without TensorFlow, whose import takes seconds."""
    return environment_with(tmp_path_factory.mktemp("pytorch") / "env", "torch")


def check(
    home: Path, *options: str, python: str = sys.executable, **variables: str
) -> tuple[subprocess.CompletedProcess[str], Any]:
    """Run the script in `home`; return its process and its JSON."""
    (home / "joulemark.toml").write_text(SETTINGS + FAST)
    path = os.pathsep.join(filter(None, [str(ROOT), variables.pop("PYTHONPATH", "")]))
    done = subprocess.run(
        [python, "-P", "-m", "benchmarks.gpu", "--device", "cpu", "--out", "gpu.json", *options],
        cwd=home,
        env=environment(home, PYTHONPATH=path, **variables),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done, json.loads((home / "gpu.json").read_text())


@pytest.mark.slow
def test_all_parts_on_a_cpu(tmp_path: Path) -> None:
    require("torch")
    # Found without a GPU: on a machine with one, this one is hidden.
    done, document = check(tmp_path, "--budget", "800", "--workload", "matmul", "--profile", "fast", LD_LIBRARY_PATH="")
    assert done.returncode == 0, done.stderr
    assert list(document["parts"]) == PARTS
    assert {check["kind"] for check in document["doctor"]["checks"]} >= {"sensor", "device", "framework", "machine"}
    for name in ("product", "quick"):
        assert document["parts"][name]["reason"] is None
        run_file = parse(json.dumps(document[name]), name)
        assert {case.status for case in run_file.cases} == {"ok"}
        assert run_file.run.complete
    rows = gpu_table.product_rows(document["product"])
    assert {row["precision"] for row in rows} == {"fp32", "bf16"}
    assert all(row["share"] > 0 for row in rows)
    assert {row["workload"] for row in document["workloads"]} == {"matmul"}
    assert {row["status"] for row in document["workloads"]} == {"ok", "skipped"}
    compared = [row for row in document["workloads"] if row["status"] == "ok" and row["precision"] != "fp32"]
    assert all(0 < row["error"] < 0.01 for row in compared)
    for title in ("Doctor", "Matrix product", "joulemark run, one round", "Every workload and phase once"):
        assert title in done.stdout


@pytest.mark.slow
def test_a_meter_beside_a_second_reader(tmp_path: Path, pytorch: str) -> None:
    library = nvml_library.environment(nvml_library.build(tmp_path), [GPU])
    seen = {name: library[name] for name in ("LD_LIBRARY_PATH", "NVML_GPUS")}
    options = ("--part", "meter", "--window", "0.1", "--window", "1", "--budget", "200")
    done, document = check(tmp_path, *options, python=pytorch, **seen)
    assert done.returncode == 0, done.stderr
    assert document["parts"]["meter"]["reason"] is None
    windows = document["meter"]
    assert len(windows) == 2
    for window in windows:
        assert window["meter"]["kind"] == "counter"
        assert window["meter"]["low_j"] <= window["reader_j"] <= window["meter"]["high_j"]
        assert window["counter_j"] == pytest.approx(GPU.power_w * window["duration_s"], abs=GPU.power_w * 0.2)


@pytest.mark.slow
def test_a_case_that_fails_loses_itself_alone(tmp_path: Path, pytorch: str) -> None:
    options = ("--part", "workloads", "--workload", "faulty", "--size", "by_precision", "--budget", "200")
    done, document = check(tmp_path, *options, python=pytorch, PYTHONPATH=str(SUPPORT / "faulty"))
    rows = {(row["mode"], row["precision"]): row for row in document["workloads"]}
    for case in (("eager", "tf32"), ("cudagraph", "fp32")):
        assert rows.pop(case)["status"] == "skipped"
    assert rows.keys() == {*(("eager", each) for each in ("fp32", "bf16", "fp16")), ("compile", "fp32")}
    for (_, precision), row in rows.items():
        reason = {"fp32": "SIGSEGV", "bf16": "finite", "fp16": "out of memory"}[precision]
        assert (row["status"], reason in row["reason"]) == ("failed", True), row
    assert done.returncode == 1
    assert done.stdout.count("! faulty/inference/pytorch") == len(rows)


@pytest.mark.slow
def test_cases_that_hang(tmp_path: Path, pytorch: str) -> None:
    options = ("--part", "workloads", "--workload", "faulty", "--size", "hang_uninterruptibly")
    for timeout_s in (4, 16, 64):  # a busy machine may need longer to come to the first case
        # The last part stops 15 s before the end, and a fifth of all is for importing the framework.
        limits = ("--case-timeout", f"{timeout_s}", "--budget", f"{15 + 3.5 * timeout_s}")
        done, document = check(tmp_path, *options, *limits, python=pytorch, PYTHONPATH=str(SUPPORT / "faulty"))
        if document["workloads"] and document["workloads"][0]["status"] == "failed":
            break
    first, *_, last = document["workloads"]
    assert (first["status"], first["reason"]) == ("failed", f"not finished within {timeout_s} s")
    assert last["status"] == "not run"
    # how many hang before the time is over depends on how long each takes to start
    assert last["reason"] in ("no time was left", "not finished when the time was over")
    assert document["parts"]["workloads"]["reason"].startswith("no time was left for ")
    assert done.returncode == 1


def test_workloads_that_were_not_begun_are_listed() -> None:
    (rows,) = sweep(["pytorch"], "cpu", "tiny", [], 60.0, end_s=time.monotonic())
    assert {row["workload"] for row in rows} == {each.id for each in workloads().values() if "cpu" in each.devices}
    assert {(row["status"], row["reason"]) for row in rows} == {("not run", "no time was left")}


@pytest.mark.slow
def test_without_time_every_part_has_a_reason(tmp_path: Path) -> None:
    done, document = check(tmp_path, "--budget", "0")
    assert done.returncode == 0, done.stderr
    assert {name: part["reason"] for name, part in document["parts"].items()} == dict.fromkeys(
        PARTS, "no time was left"
    )
    assert {document[name] for name in PARTS} == {None}


@pytest.mark.slow
def test_a_device_that_no_framework_sees(tmp_path: Path, pytorch: str) -> None:
    options = ("--device", "cuda:7", "--budget", "200", "--part", "quick", "--part", "workloads", "--part", "meter")
    done, document = check(tmp_path, *options, python=pytorch)
    assert done.returncode == 0, done.stderr
    assert document["parts"]["quick"]["reason"] == "no framework can use cuda:7"
    assert document["parts"]["workloads"]["reason"] == "no framework can use cuda:7"
    assert document["parts"]["meter"]["reason"].startswith("no second reader: ")
    assert all(reason for reason in document["frameworks"].values())


def test_the_table_of_a_file_that_was_cut_off() -> None:
    lines = list(gpu_table.table({"frameworks": {"pytorch": "not installed"}, "parts": {}, "quick": None}))
    assert lines == ["! pytorch was not run: not installed", ""]
