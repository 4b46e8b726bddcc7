"""What a step of a workload is made of: operators of PyTorch's eager step, nodes of TensorFlow's graph.

Beside the operators' own names, `Observed.operators` counts what no name shows, under names with spaces, such as CAST.
"""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from framework_process import SEED, make_kit

from joulemark.suite.trial.frameworks.adapter import Execution
from joulemark.workloads.registry import builder, workloads
from joulemark.workloads.spec import Adam, Optimizer, Program

CAST = "cast of floating point"
BIAS = "bias added by an operator of its own"
CHANNELS_FIRST = "image not channels-last"
UPDATED = "weight updated by its optimizer's kernel"
WHOLE_TABLE = "tensor of a whole table"

STEPS = 3
MODES = {"pytorch": "compile", "tensorflow": "graph"}
IMAGE_OPERATORS = {
    "convolution",
    "convolution_backward",
    "native_batch_norm",
    "native_group_norm",
    "native_group_norm_backward",
    "max_pool2d_with_indices",
    "max_pool2d_with_indices_backward",
    "upsample_nearest2d",
    "upsample_nearest2d_backward",
}
"""Not the backward pass of batch norm: the gradient of mobilenetv2's mean over images is channels-first in PyTorch."""
VIEWS = {"alias", "detach", "t", "transpose", "view"}
READS = {"Identity", "Placeholder", "ReadVariableOp"}

Step = Callable[..., Mapping[str, Any]]
Ring = Sequence[Mapping[str, Any]]
Shapes = set[tuple[int, ...]]


@dataclass(frozen=True)
class Observed:
    """A few steps of one phase of one workload, at size `tiny` in float32, each on a batch of its own."""

    asked: frozenset[str]
    """Methods of the kit that were called, `sparse embedding` for one that is sparse and `dense without bias`; in
    training the kind of the optimizer, and `clipping`."""
    operators: Mapping[str, int]
    """Count of each operator in one step."""
    trainable: int
    """Count of the trainable weights."""


def observe(framework: str, workload: str, phase: str) -> Observed:
    """Return what a phase of a workload is made of. Runs in the framework's process."""
    asked: set[str] = set()
    spec = workloads()[workload]
    program, ring = build(framework, workload, phase, asked)
    tables = {weight.shape for name, weight in program.weights().items() if name.endswith(".embeddings")}
    operators = (in_pytorch if framework == "pytorch" else in_tensorflow)(program.step, ring, tables)
    if phase == "training" and spec.optimizer:
        asked |= traits(spec.optimizer, sparse="sparse embedding" in asked)
    return Observed(frozenset(asked), dict(operators), len(program.trainable()))


def build(framework: str, workload: str, phase: str, asked: set[str] | None = None) -> tuple[Program, Ring]:
    """Return a program and the batches of its steps. `asked` takes in what it asks of the kit, then and later."""
    spec = workloads()[workload]
    size = spec.sizes["tiny"]
    batch = size.batch_size["cpu"]
    kit = make_kit(framework, "fp32", training=phase == "training")
    if asked is not None:
        record(kit, asked)
    program = builder(spec, framework)(size.at(batch), phase, kit)
    drawn = (spec.inputs(size, phase, batch, np.random.default_rng([SEED, step])) for step in range(STEPS))
    return program, [{name: kit.tensor(array) for name, array in arrays.items()} for arrays in drawn]


def record(kit: Any, asked: set[str]) -> None:
    """Make the kit add the names of its methods to `asked` when they are called."""

    def recorded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            without_bias = name == "dense" and options.get("bias") is False
            asked.add(f"sparse {name}" if options.get("sparse") else f"{name} without bias" if without_bias else name)
            return method(*arguments, **options)

        return call

    for name, method in inspect.getmembers(kit, inspect.ismethod):
        if not name.startswith("_"):
            setattr(kit, name, recorded(name, method))


def traits(optimizer: Optimizer, sparse: bool) -> set[str]:
    """Return the kind of an optimizer, and whether it clips."""
    if isinstance(optimizer, Adam):
        kind = "AdamW" if optimizer.weight_decay else "Adam"
    else:
        kind = "momentum" if optimizer.momentum else "sparse SGD" if sparse else "SGD"
    return {kind, "clipping"} if optimizer.clip_norm is not None else {kind}


def in_pytorch(step: Step, ring: Ring, tables: Shapes) -> Counter[str]:
    """Return the operators of the second eager step, which the dispatcher sees."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    operators: Counter[str] = Counter()

    def note(name: str, arguments: tuple[Any, ...], result: Any) -> None:
        operators[name] += 1
        tensors = [argument for argument in arguments if isinstance(argument, torch.Tensor)]
        made = [each for each in tree_leaves(result) if isinstance(each, torch.Tensor) and not each.is_sparse]
        if name in IMAGE_OPERATORS:
            images = [tensor for tensor in (*tensors, *made) if tensor.ndim == 4]
            if not all(image.stride(1) == 1 or image.shape[1] == 1 for image in images):
                operators[CHANNELS_FIRST] += 1
        if name == "_to_copy" and tensors[0].is_floating_point() and tensors[0].dtype != result.dtype:
            operators[CAST] += 1
        if name.startswith("_fused_"):
            operators[UPDATED] += len(arguments[0])
        if name in ("add", "add_") and [tensor.ndim for tensor in tensors[:2]] in ([2, 1], [3, 1]):
            operators[BIAS] += 1
        if name == "add_" and len(tensors) == 2 and tensors[1].is_sparse:
            operators[UPDATED] += 1
        if not name.endswith("_") and name not in VIEWS and any(tuple(each.shape) in tables for each in made):
            operators[WHOLE_TABLE] += 1

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, kernel: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = kernel(*args, **(kwargs or {}))
            note(kernel.overloadpacket.__name__, args, result)
            return result

    step(**ring[0])
    with Watch():
        step(**ring[1])
    return operators


def in_tensorflow(step: Step, ring: Ring, tables: Shapes) -> Counter[str]:
    """Return the nodes of a step's graph and of its functions."""
    import tensorflow as tf

    operators: Counter[str] = Counter()
    graph = tf.function(step, autograph=False).get_concrete_function(**ring[0]).graph
    definition = graph.as_graph_def()
    functions = [node for function in definition.library.function for node in function.node_def]
    for node in (*definition.node, *functions):
        operators[node.op] += 1
        if "data_format" in node.attr and node.attr["data_format"].s != b"NHWC":
            operators[CHANNELS_FIRST] += 1
        if "padding" in node.attr and node.attr["padding"].s == b"EXPLICIT":
            operators[f"{node.op} with explicit padding"] += 1
        if node.op == "Cast" and tf.as_dtype(node.attr["SrcT"].type).is_floating:
            operators[CAST] += 1
        if node.op.startswith("ResourceApply") or node.op == "ResourceScatterSub":
            operators[UPDATED] += 1
    for operation in graph.get_operations():
        shapes = [tuple(output.shape) for output in operation.outputs if output.shape.is_fully_defined()]
        if operation.type not in READS and not tables.isdisjoint(shapes):
            operators[WHOLE_TABLE] += 1
    return operators


def count_graphs(framework: str, workload: str, phase: str) -> list[int]:
    """Return how many graphs, and breaks between them, there are after each step that the adapter has compiled.

    PyTorch runs them as they are: Inductor would take its time. Runs in the framework's process.
    """
    program, ring = build(framework, workload, phase)
    # Not made by its constructor, which would set the threads: this process has set them.
    adapter = SimpleNamespace(execution=Execution(MODES[framework], "cpu", "fp32", 1), _functions=[])
    if framework == "pytorch":
        import torch

        from joulemark.suite.trial.frameworks.pytorch import Adapter
        from joulemark.suite.trial.frameworks.pytorch_counts import compiled

        def pieces() -> int:
            counts = compiled(cuda=False)
            return int(counts["graphs"] + counts["graph_breaks"])

        torch.compiler.reset()
        before, counts = pieces(), []
        run = Adapter.compile(adapter, program.step)
        with torch.compiler.set_stance("default", force_backend="eager"):
            for inputs in ring:
                run(**inputs)
                counts.append(pieces() - before)
        return counts
    from joulemark.suite.trial.frameworks.tensorflow import Adapter as TensorFlowAdapter

    traces, counts = [], []

    def traced(**inputs: Any) -> Mapping[str, Any]:
        traces.append(phase)
        return program.step(**inputs)

    run = TensorFlowAdapter.compile(adapter, traced)
    for inputs in ring:
        run(**inputs)
        counts.append(len(traces))
    return counts
