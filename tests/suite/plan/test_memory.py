"""Cases that cannot fit into their device's memory are skipped up front, with what can."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plans import INSTALLED, with_gpus

from joulemark.suite.plan.cases import make_plan
from joulemark.suite.plan.memory import MEMORY, memory_refusal
from joulemark.suite.records import Settings
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Sgd

LLAMA = workloads()["llama"]
GPT2 = workloads()["gpt2"]
KEPT = 6 * 2048 + 2 * 512 + 3 * 8192
"""Numbers of a token that the backward pass of a block of llama's `base` reads."""
LARGEST = (20_000_000_000 - 4 * 1_235_814_400) // (2 * 16 * 8 * 64 * 640 * 4)
"""Batch size whose caches 20 GB have room for beside the weights of llama's `base`, in float32."""


@pytest.mark.parametrize(
    ("workload", "size", "phase", "batch", "element", "expected"),
    [
        # weights, gradients and two moments in float32; 16 blocks' activations of 512 tokens, and two kinds of logits
        (LLAMA, "base", "training", 4, 2, 16 * 1_235_814_400 + 4 * 512 * (2 * 16 * KEPT + 8 * 128_256)),
        # of 8 heads of 64, keys and values in 16 blocks for 512 + 128 places
        (LLAMA, "base", "generation", 8, 2, 2 * 1_235_814_400 + 8 * 2 * 16 * 8 * 64 * 640 * 2),
        (
            workloads()["llama.lora"],
            "base",
            "training",
            1,
            4,
            4 * 1_247_086_592 + 12 * 11_272_192 + 512 * (4 * 16 * KEPT + 8 * 128_256),
        ),
        (replace(GPT2, optimizer=Sgd(0.1)), "base", "training", 1, 4, 8 * 124_439_808),
        (GPT2, "base", "prefill", 2, 4, 4 * 124_439_808 + 4 * 2 * 2 * 12 * 768 * 640),
        (workloads()["matmul"], "base", "inference", 1, 4, 0),
    ],
)
def test_what_a_case_needs_by_hand(workload, size, phase, batch, element, expected):
    assert workload.least_bytes(workload.sizes[size], phase, batch, element) == expected


@pytest.mark.parametrize(
    ("size", "phase", "batch", "available", "says"),
    [
        (
            "base",
            "training",
            1,
            19.0e9,
            "llama needs at least 21.5 GB for weights, gradients, optimizer and activations",
        ),
        ("base", "training", 1, 19.0e9, "the device has 19.0 GB: size small has room"),
        ("gpu", "training", 1, 21.9e9, "134 GB for weights, gradients, optimizer and activations"),
        ("gpu", "training", 1, 21.9e9, "size base has room"),
        ("gpu", "training", 16, 149e9, "batch size 4 has room"),
        ("base", "generation", 512, 20e9, f"batch size {LARGEST} has room"),
        ("gpu", "training", 1, 1e4, "no size of it has room"),
    ],
)
def test_what_does_not_fit_is_told_with_what_does(size, phase, batch, available, says):
    refusal = memory_refusal(LLAMA, LLAMA.sizes[size], phase, batch, "fp32", int(available))
    assert refusal is not None
    assert says in refusal


def test_the_largest_batch_that_has_room_has_and_the_next_has_not():
    size = LLAMA.sizes["base"]
    assert memory_refusal(LLAMA, size, "generation", LARGEST, "fp32", int(20e9)) is None
    assert memory_refusal(LLAMA, size, "generation", LARGEST + 1, "fp32", int(20e9)) is not None
    assert memory_refusal(LLAMA, size, "training", 1, "fp32", None) is None


def test_each_device_has_its_own_memory_and_smaller_cases_are_run():
    settings = Settings(workload=["llama"], framework=["pytorch"], size=["base"], phase=["training", "prefill"])
    plan = make_plan(settings, with_gpus(), 1, 2, memory_bytes={"cpu": int(16e9), "cuda:0": int(80e9)})
    skipped = {(case.device, case.phase): case.reason for case in plan.cases if case.reason_code == MEMORY}
    assert set(skipped) == {("cpu", "training")}
    assert len(plan.runnable()) == len(plan.cases) - 1
    unknown = make_plan(settings, INSTALLED, 1, 2)
    assert len(unknown.runnable()) == len(unknown.cases)
