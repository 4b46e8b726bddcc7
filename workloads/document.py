"""docs/workloads.md, made from the specs: `python -m joulemark.workloads.document > docs/workloads.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import ELEMENT_BYTES, Adam, Optimizer, Size, Workload

_HEAD = """# Workloads

Made from the specs by `python -m joulemark.workloads.document`; do not edit.

Every workload does the same work in PyTorch and in TensorFlow. A test copies the weights from one to the other, each in
a process of its own, and compares the output, every gradient and every update, tensor by tensor: within 1e-6 in
float64, and within 1e-3 in float32 (output 1e-4). Weights, inputs and what is random in a step are drawn once by numpy,
so that both start from the same numbers.

## What was decided where the frameworks differ

- **Layout**: images are (batch, height, width, channel) in memory on both sides: TensorFlow's own, PyTorch's
  `channels_last`, which its guide advises for oneDNN and for tensor cores. One exception on a CPU: ResNet-50 and SimCLR
  on images so small that the last are 2 x 2 run on (batch, channel, height, width), in 0.8 of the time; at 224 x 224
  that would take 1.2 times as long.
- **Padding** is the same on all four sides. Keras's `"same"` pads a strided window below and right only; our Keras
  layers pad such images first.
- **Batch norm**: epsilon 1e-5, and running <- 0.9 running + 0.1 batch with the unbiased variance, PyTorch's definition.
  In TensorFlow by the fused kernel, which Keras 3's own layer does not use.
- **Adam**: epsilon is added to the root of the corrected second moment, as in the paper's algorithm 1 and in PyTorch.
  Keras's epsilon is the paper's "epsilon hat", another number in effect; our subclass has the paper's.
- **SGD**: v <- momentum v + g; w <- w - learning rate v. Both agree as long as the learning rate is constant.
- **Fused optimizers**: in PyTorch (`fused=True`) one kernel for all weights, on both kinds of device; in TensorFlow one
  kernel a weight (`ResourceApplyAdam`, `ResourceApplyMomentum`), where Keras 3's own optimizers compose a dozen
  operations for each, which take a third of the first call. Graph mode runs them side by side.
  Gradients of embeddings are dense in both, PyTorch's default.
- **Loss** in float32 at least, inside the step, as are backward pass and optimizer.
- **Dropout** is left out everywhere: its mask would be a second workload, that of the random generator.
- **bf16, fp16** are mixed precision, as users have it: `torch.autocast` (and GradScaler in fp16 training), Keras's
  mixed policies (and LossScaleOptimizer). Inputs come in that precision; weights stay in float32. Bare kernels (matmul,
  activations) run wholly in it. The input of a PyTorch LSTM is cast before autocast would: PyTorch picks the kernel by
  the dtype from before the cast, and on a CPU then asks oneDNN for an fp16 LSTM that it does not have.
- **Inference** in PyTorch runs under `no_grad`: Inductor fails on views made under `inference_mode`.

A workload's **version** is a hash of all sources that it runs: its folder, the kits, and what these import. Results of
unlike versions are never compared, and a history begins anew. [modes.md](modes.md) has what was seen to run in which
mode and precision.

## PyTorch's matrix product on AMD processors

PyTorch's wheels compute fp32 matrix products by Intel's oneMKL, which on a processor of another maker takes its AVX2
code even where there is AVX-512. On one core of an AMD EPYC with AVX-512, n = 1024, in GFLOP/s of processor time:
PyTorch 89, numpy by OpenBLAS 105, TensorFlow by oneDNN 197 (105 when held to AVX2 by `ONEDNN_MAX_CPU_ISA=AVX2`), and
183 by oneDNN from within PyTorch (`torch.ops.mkldnn._linear_pointwise`). oneMKL's switches (`MKL_ENABLE_INSTRUCTIONS`,
`MKL_CBWR`) change nothing. So `matmul`, and all that is made of it, shows PyTorch as its users have it there: at half
of what the core can do. Convolutions go by oneDNN in both and have no such gap. What a user can do: for inference,
`torch.utils.mkldnn.to_mkldnn(model)`, which keeps dense layers in oneDNN; bf16, which PyTorch gives to oneDNN (376 on
the same core); or a build of PyTorch on another BLAS. Inductor's `freezing` alone did not help.

## How to read the table

FLOPs are floating-point operations of one item, a multiply-add being two, at size `base`; what is left out is said
below the table. Bytes are compulsory traffic: what no cache can save, at four bytes a number and the batch given.
"""


def document() -> str:
    """The whole page."""
    found = sorted(workloads().values(), key=lambda workload: list(_families()).index(workload.family))
    parts = [_HEAD]
    for family, members in groupby(found, key=lambda workload: workload.family):
        own = list(members)
        parts += [
            f"\n## {family.capitalize()}\n\n",
            *_table(own),
            "\n",
            *(f"{line}\n" for w in own for line in _notes(w)),
        ]
    return "".join(parts)


def _families() -> dict[str, None]:
    return dict.fromkeys(workload.family for workload in workloads().values())


def _table(members: list[Workload]) -> Iterator[str]:
    yield "| workload | item | parameters (base) | phase | GFLOPs an item | MB an item | batch sizes |\n"
    yield "|---|---|---:|---|---:|---:|---|\n"
    for workload in members:
        base = workload.sizes[workload.reference_size]
        count = workload.parameters(base)
        parameters = f"{count.total:,}" if count.total else "none"
        if count.trainable != count.total:
            parameters += f" ({count.trainable:,} trained)"
        for phase in workload.phases:
            gflops = workload.flops(base, phase) / 1e9
            megabytes = workload.bytes(base, phase, base.batch_size["cpu"], ELEMENT_BYTES["fp32"]) / 1e6
            yield (
                f"| {workload.id} | {workload.counts(phase)} | {parameters} | {phase} | {gflops:.4g} | {megabytes:.4g} "
                f"| {_batches(workload)} |\n"
            )


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
        yield "  In fp32 only."
    if not workload.batched:
        yield "  One sample a step: no other batch size."
    if workload.devices == ("cpu",):
        yield "  On the CPU only."
    if not workload.compiles:
        yield "  Not compiled: a step is no computation that a compiler could take in."
    for pattern, reason in workload.substitutes.items():
        yield f"  Not proved by equality: `{pattern}`; {reason}."


def _hyper(size: Size) -> str:
    return ", ".join(f"{name} {value}" for name, value in size.hyper.items())


def _optimizer(optimizer: Optimizer) -> str:
    if isinstance(optimizer, Adam):
        betas = f"betas {optimizer.beta_1} and {optimizer.beta_2}"
        return f"Adam, learning rate {optimizer.learning_rate}, {betas}, epsilon {optimizer.epsilon}"
    return f"SGD, learning rate {optimizer.learning_rate}, momentum {optimizer.momentum}"


if __name__ == "__main__":
    sys.stdout.write(document())
