"""Limits are set, read back and restored, also by a process whose parent is killed: real processes and libraries."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import limited_packages
import nvml_library
import powercap
import pytest
from limited_packages import PRESENT, limits_of
from nvml_library import FakeGpu
from nvml_limits import calls, limit_w
from places import ROOT

from joulemark.suite.limits.base import LimitError, Target, open_limits, target_of
from joulemark.suite.limits.guard import LimitGuard
from joulemark.suite.records import Gpu
from joulemark.suite.trial import processes

UUID = "GPU-11111111-2222-3333-4444-555555555555"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may set limits, and become another user")

CLIENT = """
import json, sys
from joulemark.suite.limits.base import LimitError, Target
from joulemark.suite.limits.guard import LimitGuard
from joulemark.suite.errors import JoulemarkError
try:
    with LimitGuard(Target.of_document(json.loads(sys.argv[1]))) as guard:
        for line in sys.stdin:
            try:
                print(json.dumps(guard.apply(*json.loads(line))), flush=True)
            except LimitError as error:
                print(json.dumps(str(error)), flush=True)
except JoulemarkError as error:
    print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
"""

ANOTHER_USER = """
import json, os, sys
from joulemark.suite.limits.base import LimitRefusedError, Target, open_limits
limits = open_limits(Target.of_document(json.loads(sys.argv[1])))
os.setgid(65534); os.setuid(65534)  # only now: this user may not read the interpreter's folder
try:
    limits.check()
except LimitRefusedError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return nvml_library.build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def gpu(library, tmp_path):
    """Return what starts a client of the guard on a GPU: `start(keys, traits)`."""

    def start(keys=("power-limit", "clock"), traits="-", program=CLIENT):
        variables = nvml_library.environment(library, [FakeGpu(UUID, traits=traits)], NVML_LIMITS=str(tmp_path))
        target = {"kind": "nvidia", "place": UUID, "keys": keys}
        return subprocess.Popen(
            [sys.executable, "-c", program, json.dumps(target)],
            env={**variables, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def ask(process, power_limit_w, clock_mhz):
    process.stdin.write(json.dumps([power_limit_w, clock_mhz]) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def wait_until(condition, timeout_s=300.0):
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "the limits were not restored"
        time.sleep(0.02)


@pytest.mark.slow
@as_root
def test_limits_of_a_gpu_are_set_read_back_and_restored(gpu, tmp_path):
    process = gpu()
    assert ask(process, 300, 1410) == {"power_limit_w": 300.0}
    assert ask(process, 300, None) == {"power_limit_w": 300.0}
    assert ask(process, None, None) == {"power_limit_w": 400.0}
    assert ask(process, 250, 900) == {"power_limit_w": 250.0}
    process.communicate(timeout=300)
    check = ["power 400000", "clock reset"]
    sets = ["clock 1410", "power 300000", "clock reset", "power 400000", "clock 900", "power 250000"]
    assert calls(tmp_path) == [*check, *sets, "clock reset", "power 400000"]
    assert limit_w(tmp_path, UUID) == 400


@pytest.mark.slow
@as_root
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_limits_of_a_gpu_are_restored_when_the_sweep_is_ended(gpu, tmp_path, how):
    process = gpu()
    ask(process, 250, 1200)
    assert limit_w(tmp_path, UUID) == 250
    process.send_signal(how)
    process.communicate(timeout=300)
    wait_until(lambda: limit_w(tmp_path, UUID) == 400)
    assert calls(tmp_path)[-2:] == ["clock reset", "power 400000"]


@pytest.mark.slow
@as_root
def test_a_limit_that_the_gpu_ignores_is_an_error(gpu, tmp_path):
    process = gpu(("power-limit",), "deaf")
    assert ask(process, 250, None) == "the GPU shows a limit of 400 W, not 250 W"
    process.communicate(timeout=300)


@pytest.mark.slow
@as_root
def test_clock_of_a_gpu_without_power_limit_is_locked_and_reset(gpu, tmp_path):
    process = gpu(("clock",), "no_limit")
    assert ask(process, None, 900) == {}
    process.communicate(timeout=300)
    assert calls(tmp_path) == ["clock reset", "clock 900", "clock reset"]


@as_root
def test_everything_that_can_be_is_restored_though_one_file_fails(tmp_path):
    limits = open_limits(Target("rapl", str(limited_packages.build(tmp_path)), ("power-limit",)))
    limits.set(60, None)
    lost = limited_packages.zone_file(tmp_path, 0, "constraint_0_power_limit_uw")
    lost.unlink()
    with pytest.raises(LimitError, match=f"echo 150000000 | sudo tee {lost}$"):
        limits.restore()
    lost.write_text("150000000")
    assert limits_of(tmp_path) == PRESENT


@pytest.mark.slow
@as_root
@pytest.mark.parametrize(
    ("keys", "call"),
    [(("power-limit",), "nvmlDeviceSetPowerManagementLimit"), (("clock",), "nvmlDeviceResetGpuLockedClocks")],
)
def test_another_user_is_refused_and_nothing_is_set(gpu, tmp_path, keys, call):
    output, _ = gpu(keys, program=ANOTHER_USER).communicate(timeout=300)
    assert output == f"{call}: Insufficient Permissions\n"
    assert calls(tmp_path) == []


@pytest.mark.slow
@as_root
def test_another_user_may_not_limit_packages(tmp_path):
    target = Target("rapl", str(limited_packages.build(tmp_path)), ("power-limit",))
    done = subprocess.run(
        [sys.executable, "-c", ANOTHER_USER, json.dumps(target.document())],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.endswith("constraint_0_power_limit_uw: Permission denied\n")
    assert limits_of(tmp_path) == PRESENT


@as_root
@pytest.mark.slow
def test_limits_of_packages_are_set_for_long_and_short_times_and_restored(tmp_path):
    top = limited_packages.build(tmp_path)
    target = target_of("cpu", ("power-limit",), (), str(top))
    limits = open_limits(target)
    assert (limits.present_w, limits.power_range_w, limits.clock_range_mhz) == (150, (1, 205), None)
    with LimitGuard(target) as guard:
        assert guard.apply(90, None) == {"power_limit_w": 90.0}
        assert limits_of(tmp_path) == [["90000000", "90000000", "400000000", "1"]] * 2
        assert guard.apply(None, None) == {"power_limit_w": 150.0}
        assert limits_of(tmp_path) == PRESENT
        guard.apply(60, None)
    assert limits_of(tmp_path) == PRESENT


@as_root
@pytest.mark.slow
def test_limits_are_restored_if_the_guard_itself_is_killed(tmp_path):
    top = limited_packages.build(tmp_path)
    guard = LimitGuard(Target("rapl", str(top), ("power-limit",)))
    guard.apply(60, None)
    guard._process.kill()
    guard._process.wait(timeout=300)
    guard.close()
    assert limits_of(tmp_path) == PRESENT


@as_root
@pytest.mark.slow
def test_limits_are_restored_after_a_request_that_was_interrupted(tmp_path):
    top = limited_packages.build(tmp_path)
    guard = LimitGuard(Target("rapl", str(top), ("power-limit",)))
    processes.send_json(guard._process, {"power_limit_w": 60, "clock_mhz": None})  # Ctrl-C, before it is answered
    wait_until(lambda: limits_of(tmp_path) != PRESENT)
    guard.close()
    assert limits_of(tmp_path) == PRESENT


def test_what_cannot_be_limited_is_named(tmp_path):
    with pytest.raises(LimitError, match=r"no processor package under .* has a power limit"):
        open_limits(Target("rapl", str(powercap.build(tmp_path, limited_packages.PACKAGES)), ("power-limit",)))
    with pytest.raises(LimitError, match="clock is for GPUs"):
        target_of("cpu", ("clock",), (), "/sys")
    with pytest.raises(LimitError, match="no sensor library shows a GPU cuda:0"):
        target_of("cuda:0", ("clock",), (), "/sys")
    amd = Gpu(
        index=0, vendor="AMD", name="MI300X", uuid="x", pci_bus_id="", memory_bytes=1, driver="6", device="cuda:0"
    )
    with pytest.raises(LimitError, match="cuda:0 is AMD's"):
        target_of("cuda:0", ("power-limit",), (amd,), "/sys")
