"""`joulemark sweep`: bad input, a whole sweep of power limits, and one that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import limited_packages
import nvml_library
import pytest
from another_user import AS_USER
from command import COMMAND, FAST_ROUNDS, environment, in_terminal, joulemark, start
from environments import known, require
from limited_packages import PRESENT, limits_of
from nvml_library import FakeGpu
from places import SUPPORT

from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow

LEANING = ("--workload", "leaning", "--framework", "pytorch", "--profile", "fast", "--device", "cpu")
SWEEP = (
    *LEANING,
    "--over",
    "power-limit=90:150:30",
    "--sensor",
    "simulated:rapl",
    "--rounds",
    "1",
    "--host-watts",
    "80",
)
"""A workload that sleeps: its speed follows no limit."""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may set limits, and become another user")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS)
    return tmp_path


@pytest.fixture
def variables(home):
    root = limited_packages.build(home / "sys")
    return {"PYTHONPATH": str(SUPPORT / "leaning"), "LEANING_STEP_S": "0.03", "JOULEMARK_POWERCAP_ROOT": str(root)}


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ("", ["--over power-limit=300:700:50"]),
        ("--over cores=1,2", ["unknown key in --over 'cores'", "threads"]),
        ("--over threads=1,100000", ["--over threads", "too many"]),
        ("--over mode=eager,xla --framework pytorch", ["--over mode=xla", "pytorch has eager, compile"]),
        ("--over batch-size=1,2 --host-watts -1", ["--host-watts"]),
        ("--over power-limit=90,210 --device cpu", ["cpu takes 1 to 205 W, found 210 W"]),
        ("--over power-limit=90 --device cpu --device cuda:0", ["give one --device"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(home, variables, arguments, texts):
    done = joulemark(home, "sweep", *arguments.split(), variables=variables)
    assert (done.returncode, done.stdout, len(done.stderr.strip().splitlines())) == (2, "", 1), done.stderr
    assert all(text in done.stderr for text in texts), done.stderr


@pytest.mark.parametrize(
    ("over", "sensor", "code", "text"),
    [
        ("threads=1,2", "power_model", 0, "settings are ranked by speed alone. Add --allow-estimates"),
        ("threads=1,2", "simulated:rapl", 0, ""),
        ("power-limit=90,120", "power_model", 3, "no estimate sees limits or clocks: nothing to rank"),
    ],
)
def test_energy_that_is_not_measured_is_told_before_measuring(home, variables, over, sensor, code, text):
    require("torch")
    arguments = ("sweep", *LEANING, *f"--over {over} --sensor {sensor} --dry-run".split())
    done = joulemark(home, *arguments, variables=variables)
    assert done.returncode == code, done.stderr
    told = done.stderr.strip().splitlines()
    assert len(told) == (1 if text else 0), told
    assert text in done.stderr
    assert ("rounds of the best" in done.stdout) == (code == 0)


GPU_LIMITS = """
from joulemark.suite.cli.support.sweep.limits import limited_device
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings
from joulemark.suite.sensors.gpus.inventory import discover
gpus = discover().gpus
for device, over in (
    ("cuda:0", {"power-limit": (150, 300)}),
    ("cuda:0", {"clock": (2000,)}),
    ("cuda:1", {"power-limit": (300,)}),
    ("cuda:2", {"power-limit": (300,)}),
):
    try:
        limited_device(Settings(device=(device,), over=over), gpus, True)
    except UsageError as error:
        print(error)
print(limited_device(Settings(device=("cuda:2",), over={"clock": (900,)}), gpus, True)[1].present_w)
"""


@as_root
def test_range_of_a_gpu_is_that_of_its_driver(home):
    """The driver of the second GPU lets nobody set its limit; the third is a laptop's, which has none."""
    gpus = [FakeGpu(f"GPU-{n}", traits=traits) for n, traits in enumerate(("-", "fixed", "no_limit"))]
    variables = {**nvml_library.environment(nvml_library.build(home), gpus, NVML_LIMITS=str(home)), **environment(home)}
    command = [sys.executable, "-c", GPU_LIMITS]
    done = subprocess.run(command, env=variables, cwd=home, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines() == [
        "--over power-limit: cuda:0 takes 200 to 500 W, found 150 W.",
        "--over clock: cuda:0 takes 210 to 1,980 MHz, found 2,000 MHz.",
        "--over power-limit: nvmlDeviceSetPowerManagementLimit: Not Supported.",
        "--over power-limit: nvmlDeviceGetPowerManagementLimit: Not Supported.",
        "None",
    ]


@pytest.fixture
def shared():
    """A folder that any user may read and write; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


SWEPT_BY_ANOTHER = "sweep --over power-limit=90,150 --device cpu --profile ci --offline"


@as_root
def test_another_user_is_told_the_command(shared):
    root = limited_packages.build(shared / "sys")
    done = subprocess.run(
        [*AS_USER, *COMMAND, *SWEPT_BY_ANOTHER.split()],
        env=environment(shared, JOULEMARK_POWERCAP_ROOT=str(root)),
        cwd=shared,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert "--over power-limit needs root" in done.stderr
    assert "Permission denied" in done.stderr
    assert f"sudo -E {sys.executable} -m joulemark sweep --over power-limit=90,150 --device cpu" in done.stderr
    assert limits_of(shared / "sys") == PRESENT


@as_root
def test_killed_sweep_restores_limits_and_is_resumed(home, variables):
    require("torch")
    selection = (*SWEEP, *known("pytorch"), "--no-report", "--offline")
    running = start(home, "sweep", *selection, **variables)
    deadline_s = time.monotonic() + 900
    while limits_of(home / "sys")[1][0] not in ("90000000", "120000000"):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=300)
    while limits_of(home / "sys") != PRESENT:
        assert time.monotonic() < deadline_s, "the limits were not restored"
        time.sleep(0.02)
    assert "joulemark sweep --resume" in joulemark(home, "run", "--resume", "latest").stderr

    done = joulemark(home, "sweep", "--resume", "latest", "--json", "--no-report", variables=variables)
    assert done.returncode == 0, done.stderr
    assert limits_of(home / "sys") == PRESENT
    document = json.loads(done.stdout)
    check_document(document)
    run_file = read(Path(document["path"]))
    assert (run_file.run.complete, run_file.run.rounds, run_file.run.max_rounds) == (True, 1, 2)
    by_id = {case.id.partition("+")[2]: case for case in run_file.cases}
    assert list(by_id) == ["power-limit=90", "power-limit=120", ""]
    assert {case.power_limit_w: case.sweep_default for case in run_file.cases} == {90: False, 120: False, 150: True}
    # Each trial read its limit back.
    shown = {
        (case.power_limit_w, trial.environment["power_limit_w"]) for case in run_file.cases for trial in case.trials
    }
    assert shown == {(90, "90"), (120, "120"), (150, "150")}
    shown_again = in_terminal(home, 120, "sweep", "--resume", "latest", "--no-report")
    assert "90 W" in shown_again
    assert "least joules at 5 % slow-down at most" in shown_again.lower()


def check_document(document):
    assert [point["settings"] for point in document["points"]] == [{"power-limit": w} for w in (90, 120, 150)]
    assert [point["default"] for point in document["points"]] == [False, False, True]
    for point in document["points"]:
        assert point["throughput"]["value"] > 0
        # A simulated sensor of 350 W, and 80 W that are assumed.
        joules, node = point["energy_per_item_j"]["value"], point["node_energy_per_item_j"]["value"]
        assert node == pytest.approx(joules * 430 / 350, rel=0.05)
        assert isinstance(point["pareto"], bool)
    (task,) = document["tasks"]
    assert document["knee"] == task["best"]["delay_product"]
    assert set(task["best"]) == {"joules", "node_joules", "delay_product"}
    assert task["host"] == "whole machine: 80 W assumed beside what is measured"
