"""Generate docs/workloads.md: `python -m joulemark.workloads.document > docs/workloads.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import ELEMENT_BYTES, Adam, Optimizer, Phase, Size, Workload
from joulemark.workloads.traffic import unfused_bytes

_HEAD = Path(__file__).with_suffix(".md")
"""The part of the page that is not generated."""


def document() -> str:
    """Return the page as Markdown."""
    families = list(dict.fromkeys(workload.family for workload in workloads().values()))
    by_family = sorted(workloads().values(), key=lambda workload: families.index(workload.family))
    parts = [_HEAD.read_text(encoding="utf-8")]
    for family, group in groupby(by_family, key=lambda workload: workload.family):
        members = list(group)
        parts += [
            f"\n## {family.capitalize()}\n\n",
            *_table(members),
            "\n",
            *(f"{line}\n" for workload in members for line in _notes(workload)),
        ]
    return "".join(parts)


def _table(members: list[Workload]) -> Iterator[str]:
    yield "| workload | item | parameters (base) | phase | GFLOPs per item | MB per item | batch sizes |\n"
    yield "|---|---|---:|---|---:|---:|---|\n"
    for workload in members:
        base = workload.sizes[workload.reference_size]
        count = workload.parameters(base)
        parameters = f"{count.total:,}" if count.total else "none"
        if count.trainable != count.total:
            parameters += f" ({count.trainable:,} trained)"
        if count.active is not None:
            parameters += f" ({count.active:,} active)"
        for phase in workload.phases:
            gflops = workload.flops(base, phase) / 1e9
            megabytes = _megabytes(workload, phase)
            yield (
                f"| {workload.id} | {workload.counts(phase)} | {parameters} | {phase} | {gflops:.4g} | {megabytes} "
                f"| {_batches(workload)} |\n"
            )


def _megabytes(workload: Workload, phase: Phase) -> str:
    """Return the compulsory and the unfused traffic of one item, at the CPU's batch size."""
    name, element = workload.reference_size, ELEMENT_BYTES["fp32"]
    size = workload.sizes[name]
    batch = size.batch_size["cpu"]
    traffic = workload.bytes(size, phase, batch, element), unfused_bytes(workload, name, phase, batch, element)
    return " to ".join("unknown" if each is None else f"{each / 1e6:.4g}" for each in traffic)


def _batches(workload: Workload) -> str:
    return ", ".join(
        f"{name} {size.batch_size['cpu']}/{size.batch_size['cuda']}"
        for name, size in workload.sizes.items()
        if name in ("small", "base")
    )


def _notes(workload: Workload) -> Iterator[str]:
    yield f"- **{workload.id}**: {workload.title}. {workload.paper}."
    sizes = ", ".join(f"`{name}` ({_hyper(size)})" for name, size in workload.sizes.items())
    yield f"  Sizes: {sizes}."
    if workload.optimizer:
        yield f"  Optimizer: {_optimizer(workload.optimizer)}."
    if workload.flops_note:
        yield f"  FLOPs: {workload.flops_note}."
    if workload.precisions == ("fp32",):
        yield "  Runs in fp32 only."
    if not workload.batched:
        yield "  Takes batch size 1 only."
    if workload.devices == ("cpu",):
        yield "  Runs on the CPU only."
    if not workload.compiles:
        yield "  Not compiled: a step has nothing to compile."
    for pattern, reason in workload.substitutes.items():
        yield f"  Not compared between frameworks: `{pattern}`; {reason}."


def _hyper(size: Size) -> str:
    return ", ".join(f"{name} {value}" for name, value in size.hyper.items())


def _optimizer(optimizer: Optimizer) -> str:
    rate = f"learning rate {optimizer.learning_rate}"
    if isinstance(optimizer, Adam):
        betas = f"betas {optimizer.beta_1} and {optimizer.beta_2}"
        parts = ["AdamW" if optimizer.weight_decay else "Adam", rate, betas, f"epsilon {optimizer.epsilon}"]
    else:
        parts = ["SGD", rate, f"momentum {optimizer.momentum}"]
    parts += [f"weight decay {optimizer.weight_decay}"] if optimizer.weight_decay else []
    parts += [f"gradients clipped to a norm of {optimizer.clip_norm}"] if optimizer.clip_norm is not None else []
    return ", ".join(parts)


if __name__ == "__main__":
    sys.stdout.write(document())
