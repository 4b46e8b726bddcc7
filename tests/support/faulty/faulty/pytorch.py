"""The faults, in PyTorch."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import torch

from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks.pytorch import Adapter
from joulemark.workloads.spec import Program

SLEEPS_S = {"sleep": 0.005, "sleeps_20_ms": 0.02, "sleeps_60_ms": 0.06}
"""What a busy machine sleeps for in addition, some milliseconds, is small beside the longer ones."""
GPU_STEP_S = 0.04
BY_PRECISION = {"fp32": "segfault", "bf16": "nan", "fp16": "memory"}


def build(size, phase, kit):
    """Return a step that has the fault `size.fault`."""
    fault = BY_PRECISION[kit.precision] if size.fault == "by_precision" else size.fault
    if fault == "raises_at_load":
        raise ValueError("planted at load")
    if "rank" in fault:
        from faulty import ranks

        return ranks.build(fault, kit, lambda misbehave, loss: (misbehave(), loss)[1])
    if fault.startswith("gpu"):
        return simulated_gpu(fault, size.batch)
    if fault == "retraces":
        return Program(step=retracing_step())
    calls = 0

    @torch.compiler.disable  # the fault is the same in a mode that compiles, which takes ten seconds of C++
    def step(x):
        nonlocal calls
        calls += 1
        if fault in SLEEPS_S:
            time.sleep(SLEEPS_S[fault])
        if fault.endswith("_in_turn") and is_within(timing.turn):
            misbehave(fault)
        if fault == "raises_at_first" or (fault == "raises_in_warmup" and calls == 3):
            raise ValueError(f"planted at step {calls}")
        if fault == "raises_when_profiled" and torch.autograd._profiler_enabled():
            raise ValueError("planted under the profiler")
        if fault == "raises_in_window" and is_within(timing.measure):
            raise ValueError("planted in the window")
        if calls == 3 and not fault.endswith("_in_turn"):
            misbehave(fault)
        return {"y": x * float("nan") if fault == "nan" else x + 1}

    return Program(step=step, norms=norms_of(fault))


def norms_of(fault):
    """Return norms that raise, or of a loss that has doubled and of gradients that overflow; None for other faults."""
    losses = iter((2.0, 1.0))  # at the last weights, then at the first

    def norms(x):
        if fault == "raises_in_norms":
            raise ValueError("planted in the norms")
        return {"loss": next(losses), "gradient_norm": math.inf}

    return norms if fault in ("raises_in_norms", "drifts") else None


def simulated_gpu(fault, batch_size):
    """Return a step of `GPU_STEP_S`, whatever the batch size, on a simulated GPU that computes a fifth of it, or all.

    At twice the batch size, that of the trial's second pass, the program has the fault.
    """
    if batch_size > 1:
        if fault == "gpu_waits_then_raises":
            raise MemoryError("planted at twice the batch size")
        if fault == "gpu_waits_then_dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "gpu_waits_then_hangs":
            time.sleep(3600)
    kernels = []

    def step(x):
        begin_s = float(len(kernels))
        kernels.append((begin_s, begin_s + (1.0 if fault == "gpu_busy" else GPU_STEP_S / 5)))
        time.sleep(GPU_STEP_S)
        return {"y": x + 1}

    def device_intervals(_adapter, run):
        kernels.clear()
        run()
        return kernels

    Adapter.device_intervals = device_intervals
    return Program(step=step)


def retracing_step():
    """Return a step that has to be recompiled once, 1.5 s after its third call."""
    state = {"calls": 0, "third": 0.0, "late": False}

    @torch.compiler.disable
    def update_state():
        state["calls"] += 1
        if state["calls"] == 3:
            state["third"] = time.monotonic()
        state["late"] = state["calls"] > 3 and time.monotonic() - state["third"] > 1.5

    def step(x):
        update_state()
        return {"y": torch.sort(x, descending=state["late"]).values}  # one of few without C++ to be compiled

    return step


def is_within(function):
    """Return whether `function` is running: `timing.turn` in a trial's turns, `timing.measure` in its window."""
    frame = sys._getframe()
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


def misbehave(fault):
    """Do what `fault` names, at the third step: within warm-up."""
    if fault == "segfault":
        ctypes.string_at(0)
    elif fault in ("killed", "dies_in_turn"):
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "memory":
        torch.empty(2**46, dtype=torch.uint8)
    elif fault == "allocates_1_gib":
        blocks = [torch.ones(2**24, dtype=torch.uint8) for _ in range(64)]
        raise ValueError(f"allocated {len(blocks)} times 16 MiB")
    elif fault in ("hang", "hangs_in_turn"):
        time.sleep(3600)
    elif fault == "hang_uninterruptibly":
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        while True:
            time.sleep(3600)
    elif fault in ("grandchild", "daemon"):
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=fault == "daemon"
        )
        Path(os.environ["FAULTY_PID_FILE"]).write_text(str(child.pid))
    elif fault == "resident":
        Path(os.environ["FAULTY_PID_FILE"]).write_text(str(os.getpid()))
    elif fault == "needs_memory":
        if psutil.pid_exists(int(Path(os.environ["FAULTY_PID_FILE"]).read_text())):
            raise MemoryError("planted beside another trial")
    elif fault == "prints":
        for _ in range(100):
            sys.stdout.write("x" * 2**20 + "\n")
        sys.stdout.flush()
    elif fault == "exits":
        os._exit(7)
