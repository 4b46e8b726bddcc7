"""The two numbers of the roofline, as a framework reaches them: FLOP/s of a large matrix product, byte/s of a copy."""

from __future__ import annotations

from dataclasses import replace

from joulemark.suite.records import Probe
from joulemark.suite.trial.fork_servers import ForkServers
from joulemark.suite.trial.request import Request
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import ELEMENT_BYTES

SIZES = {"cpu": {"matmul": "n1024", "stream": "small"}, "cuda": {"matmul": "n8192", "stream": "base"}}
"""Sizes that reach the peak: larger than the caches, small enough to take a second."""
WINDOW_S = 0.5


def probe(servers: ForkServers, like: Request, timeout_s: float) -> Probe:
    """Probe the framework, mode, device, precision and threads of the request `like`."""
    sizes = SIZES[like.device.partition(":")[0]]
    # Bandwidth counts bytes, whatever they hold: fp32 for all precisions.
    product_s, product_failure = _fastest_step_s(servers, like, "matmul", sizes["matmul"], like.precision, timeout_s)
    copy_s, copy_failure = _fastest_step_s(servers, like, "stream", sizes["stream"], "fp32", timeout_s)
    matmul, stream = workloads()["matmul"], workloads()["stream"]
    flops = matmul.flops(matmul.sizes[sizes["matmul"]], "inference")
    copied_bytes = stream.bytes(stream.sizes[sizes["stream"]], "inference", 1, ELEMENT_BYTES["fp32"])
    return Probe(
        framework=like.framework,
        device=like.device,
        precision=like.precision,
        threads=like.threads,
        flops_per_s=flops / product_s if product_s else None,
        bytes_per_s=copied_bytes / copy_s if copy_s else None,
        reason="; ".join(reason for reason in (product_failure, copy_failure) if reason) or None,
    )


def _fastest_step_s(
    servers: ForkServers, like: Request, workload: str, size: str, precision: str, timeout_s: float
) -> tuple[float | None, str | None]:
    """Return the step time of the fastest block (a peak is no average), seconds, or None and the reason."""
    request = replace(
        like,
        workload=workload,
        size=size,
        phase="inference",
        precision=precision,
        batch_size=1,
        one_batch=True,  # more would be half a gigabyte to draw, for a peak that is the same
        effort=replace(like.effort, window_s=WINDOW_S, guard_s=0.0, latency_s=0.0, turn_s=0.0),
    )
    outcome = servers.run(request, timeout_s)
    if outcome.trial is None:
        return None, f"{workload}: {outcome.reason}"
    return min(outcome.trial["block_s"]) / outcome.trial["steps_per_block"], None
