"""The roofline's two numbers, as a framework reaches them: FLOP/s of a large matrix product, byte/s of a large copy."""

from __future__ import annotations

from dataclasses import replace

from joulemark.suite.records import Probe
from joulemark.suite.trial.fork_servers import ForkServers
from joulemark.suite.trial.request import Request
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import ELEMENT_BYTES

SIZES = {"cpu": {"matmul": "n1024", "stream": "small"}, "cuda": {"matmul": "n8192", "stream": "base"}}
"""Sizes that reach the peak: larger than caches, small enough for a second."""

WINDOW_S = 0.5


def probe(zygotes: ForkServers, like: Request, mode: str, timeout_s: float) -> Probe:
    """Probe framework, device, precision and threads of the request `like`, in the framework's `mode`."""
    sizes = SIZES[like.device.partition(":")[0]]
    # Bandwidth is in bytes, whatever they hold: fp32 says it best.
    product, no_product = _best_step_s(zygotes, like, "matmul", sizes["matmul"], mode, like.precision, timeout_s)
    copy, no_copy = _best_step_s(zygotes, like, "stream", sizes["stream"], mode, "fp32", timeout_s)
    matmul, stream = workloads()["matmul"], workloads()["stream"]
    flops = matmul.flops(matmul.sizes[sizes["matmul"]], "inference")
    moved = stream.bytes(stream.sizes[sizes["stream"]], "inference", 1, ELEMENT_BYTES["fp32"])
    return Probe(
        framework=like.framework,
        device=like.device,
        precision=like.precision,
        threads=like.threads,
        flops_per_s=flops / product if product else None,
        bytes_per_s=moved / copy if copy else None,
        reason="; ".join(reason for reason in (no_product, no_copy) if reason) or None,
    )


def _best_step_s(
    zygotes: ForkServers, like: Request, workload: str, size: str, mode: str, precision: str, timeout_s: float
) -> tuple[float | None, str | None]:
    """(seconds of the fastest block's step, None), or (None, why not): a peak is what can be done, not an average."""
    request = replace(
        like,
        workload=workload,
        size=size,
        phase="inference",
        mode=mode,
        precision=precision,
        batch_size=1,
        effort=replace(like.effort, window_s=WINDOW_S, guard_s=0.0, latency_s=0.0),
    )
    outcome = zygotes.run(request, timeout_s)
    if outcome.trial is None:
        return None, f"{workload}: {outcome.reason}"
    return min(outcome.trial["block_s"]) / outcome.trial["steps_per_block"], None
