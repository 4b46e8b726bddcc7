"""The traffic of steps whose operators are not fused: the kept counts, closed forms, and what autograd saves."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from framework_process import Job, Processes, prepare

from joulemark.workloads.cnn import spec as cnn
from joulemark.workloads.errors import BrokenPackageError
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import ELEMENT_BYTES, Phase, Size
from joulemark.workloads.traffic import DATA, key, unfused_bytes

WORKLOADS = workloads()
COUNTED = {id: workload for id, workload in WORKLOADS.items() if workload.compiles}
"""An input pipeline has no operators of a framework to count."""
AGAIN = "python -m studies.traffic"

Step = tuple[str, str, Phase, int, str]
"""Workload, size, phase, batch size, precision."""


def test_every_size_and_phase_has_been_counted() -> None:
    data = json.loads(DATA.read_text(encoding="utf-8"))
    expected = {
        key(id, size, phase): {str(ELEMENT_BYTES[precision]) for precision in workload.precisions}
        for id, workload in COUNTED.items()
        for size in workload.sizes
        for phase in workload.stepped_phases
    }
    assert {name: set(counts) for name, counts in data.items()} == expected, AGAIN


def test_no_step_moves_less_than_it_must() -> None:
    for workload in COUNTED.values():
        for name, size in workload.sizes.items():
            for phase in workload.phases:
                for batch in {1, *size.batch_size.values()} if workload.batched else {1}:
                    for element in {ELEMENT_BYTES[precision] for precision in workload.precisions}:
                        unfused = unfused_bytes(workload, name, phase, batch, element)
                        assert unfused is not None
                        assert unfused >= workload.bytes(size, phase, batch, element), (workload.id, name, phase, batch)


def test_a_workload_of_another_package_may_give_a_formula() -> None:
    without = replace(WORKLOADS["matmul"], name="mine", package="mine")
    assert unfused_bytes(without, "tiny", "inference", 1, 4) is None
    given = replace(without, unfused_bytes=lambda size, _phase, _batch, element: 5.0 * element * size.n**2)
    assert unfused_bytes(given, "tiny", "inference", 1, 4) == 5 * 4 * 64**2
    wrong = replace(without, unfused_bytes=lambda _size, _phase, _batch, _element: 9.0)
    with pytest.raises(BrokenPackageError, match=r"mine moves at least 49152 bytes an item .* less, 9, without fusion"):
        unfused_bytes(wrong, "tiny", "inference", 1, 4)


def count_again(steps: list[Step]) -> list[int]:
    """Return the bytes of each step. Runs in PyTorch's process."""
    from studies.traffic import step_bytes

    return [step_bytes(workloads()[id], size, phase, batch, precision) for id, size, phase, batch, precision in steps]


def test_the_kept_counts_are_those_of_the_programs(processes: Processes) -> None:
    """Counted anew: all at `tiny`, and some at batch sizes that the kept counts were not made from."""
    data = json.loads(DATA.read_text(encoding="utf-8"))
    tiny = [(id, phase) for id, workload in COUNTED.items() for phase in workload.stepped_phases]
    steps: list[Step] = [(id, "tiny", phase, 2 if WORKLOADS[id].batched else 1, "fp32") for id, phase in tiny]
    steps += [(id, "tiny", "training", 5, "bf16") for id in ("mobilenetv2", "seq2seq.global", "word2vec")]
    steps += [("mobilenetv2", "base", "training", 8, "fp32"), ("gpt2", "base", "generation", 8, "bf16")]
    again = processes.call("pytorch", count_again, steps).result()
    for (id, size, phase, batch, precision), counted in zip(steps, again, strict=True):
        fixed, per_sample = data[key(id, size, phase)][str(ELEMENT_BYTES[precision])]
        assert fixed + batch * per_sample == counted, f"{id}:{size}/{phase} has changed: {AGAIN} {id}"


def matmul(size: Size, _batch: int) -> float:
    return 3 * size.n**2


def stream(size: Size, _batch: int) -> float:
    return 2 * size.n


def mlp(size: Size, batch: int) -> float:
    """Per layer, forward: input, kernel, bias, output; ReLU: read and write. Backward: ReLU's gradient 3; the bias's
    gradient; the kernel's from the gradient and the input; the input's, but for the images, from the gradient and the
    kernel. Adam 7 a weight. Cross-entropy: log-softmax 2, its gradient 3, the labels' gradient 1, labels at 8 bytes."""
    widths = (784, *size.widths, 10)
    total = batch * (6 * 10 + 1 + 2 * 8 / 4)
    for index, (width_in, width) in enumerate(pairwise(widths)):
        kernel, x, y = width_in * width, batch * width_in, batch * width
        total += x + kernel + width + y + (y + width) + (y + x + kernel) + 7 * (kernel + width)
        total += (y + kernel + x if index else 0) + (5 * y if width != 10 else 0)
    return total


def convolutional(size: Size, batch: int) -> float:
    """Per block, forward: convolution, batch norm, ReLU; backward: ReLU 3, batch norm 3, convolution's gradient, input
    and input's gradient, but for the images. A norm's scale, offset, running and own moments, SGD with momentum 5."""
    total = batch * (6 * 10 + 1 + 2 * 8 / 4)
    for index, (conv, stride) in enumerate(cnn.convolutions(size)):
        y, x = batch * conv.width * conv.edge**2, batch * conv.width_in * (conv.edge * stride) ** 2
        kernel, norm = conv.parameters, conv.width
        total += (x + kernel + y) + (2 * y + (4 + 2 + 2) * norm) + 2 * y
        total += 3 * y + (3 * y + (5 + 2) * norm) + (y + x + (x if index else 0) + 2 * kernel) + 5 * (kernel + 2 * norm)
    last = cnn.convolutions(size)[-1][0]
    features, width = batch * last.width * last.edge**2, last.width
    kernel = 10 * width
    total += features + batch * width + (batch * width + kernel + 10 + 10 * batch)  # mean and classifier
    total += 10 * batch + 10 + (10 * batch + batch * width + kernel) + (10 * batch + kernel + batch * width)
    return total + batch * width + features + 5 * (kernel + 10)


CLOSED = {
    ("matmul", "inference"): matmul,
    ("stream", "inference"): stream,
    ("mlp", "training"): mlp,
    ("cnn", "training"): convolutional,
}
SINGLE_NUMBERS_BYTES = 200
"""The loss, its mean and gradient, counts of steps and batches."""


@pytest.mark.parametrize(("workload", "phase"), CLOSED)
@pytest.mark.parametrize("name", ["tiny", "base"])
def test_closed_forms(workload: str, phase: str, name: str) -> None:
    spec = WORKLOADS[workload]
    size = spec.sizes[name]
    batch = size.batch_size["cpu"]
    counted = unfused_bytes(spec, name, phase, batch, 4)
    assert counted is not None
    surplus = counted * batch - 4 * CLOSED[workload, phase](size, batch)
    assert 0 <= surplus <= SINGLE_NUMBERS_BYTES


def saved_and_read(workload: str) -> tuple[int, int]:
    """Return the bytes of activations that a step's backward pass takes from autograd, and those that it reads.

    Runs in PyTorch's process.
    """
    import torch

    from studies.traffic_counter import TrafficCounter, storages, tensor_bytes

    _, program, inputs = prepare(Job("pytorch", workload, "training"))
    saved: list[torch.Tensor] = []
    taken: list[torch.Tensor] = []
    before: list[dict[int, int]] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor)
        return tensor

    def unpack(tensor: torch.Tensor) -> torch.Tensor:
        if not before:
            before.append(dict(counter.read))
        taken.append(tensor)
        return tensor

    with TrafficCounter() as counter, torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        program.step(**inputs)
    leaves = [t for t in saved if (t if t._base is None else t._base).is_leaf and t.requires_grad]
    weights = {s for t in leaves for s in storages(t)}
    activations = {s for t in saved for s in storages(t)} - weights
    read = sum(counter.read[s] - before[0].get(s, 0) for s in activations)
    return sum(tensor_bytes(t) for t in taken if not storages(t) & weights), read


@pytest.mark.parametrize("workload", ["mlp", "cnn", "mobilenetv2", "vit"])
def test_the_backward_pass_reads_what_autograd_saved(processes: Processes, workload: str) -> None:
    saved, read = processes.call("pytorch", saved_and_read, workload).result()
    logits = 4 * WORKLOADS[workload].sizes["tiny"].batch_size["cpu"] * 10  # saved for the loss, which needs their shape
    assert saved - logits == read > 0
