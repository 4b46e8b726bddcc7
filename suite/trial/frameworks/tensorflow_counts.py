"""What one step does in TensorFlow: operators as it executes them, nodes of its graph, and what its compilers leave."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import tensorflow as tf

from joulemark.suite.trial.work_counts import Counts

NO_WORK: Final = frozenset(
    {"Const", "Placeholder", "NoOp", "Identity", "IdentityN", "ReadVariableOp", "_Arg", "_Retval", "_DeviceArg",
     "_DeviceRetval"}
)  # fmt: skip
"""Nodes of a graph that compute nothing."""
PRODUCTS: Final = frozenset(
    {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter",
     "DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter"}
)  # fmt: skip
"""Nodes whose FLOPs are counted: matrix products and convolutions."""
LOOPS: Final = frozenset({"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"})
"""Nodes whose bodies run a number of times that their graph does not tell."""
HLO_STATISTIC: Final = "hlo_op"
"""What marks the events of XLA's kernels (`StatType::kHloOp` in tsl/profiler/utils/xplane_schema.cc)."""
BETWEEN_DEVICES: Final = ("MemcpyH2D", "MemcpyD2H", "MemcpyP2P")


def count_eager(step: Callable[[], object]) -> Counts:
    """Return what one call of `step` does, which has been called before."""
    from tensorflow.python.framework import op_callbacks

    operators = 0

    def on_operator(*_arguments: Any, **_named: Any) -> None:
        nonlocal operators
        operators += 1

    op_callbacks.add_op_callback(on_operator)
    try:
        step()
    finally:
        op_callbacks.remove_op_callback(on_operator)
    return {"operators": float(operators)}


def graph_counts(graph: Any) -> Counts:
    """Return what the graph of a traced function tells, before anything optimises it."""
    nodes = sum(operator.type not in NO_WORK for operator in _executed(graph))
    return {"graph_nodes": float(nodes), "flops": flops(graph)}


def grappler_nodes(step: Callable[[], object]) -> float:
    """Call `step`, a function that has been traced, and return the number of nodes that Grappler leaves of it.

    Grappler runs once for each set of its options. Here they are others by one that is off anyway.
    """
    from tensorflow.python.eager import context

    own = context.context()
    tf.config.optimizer.set_experimental_options({"debug_stripper": False})
    own.enable_graph_collection()
    try:
        step()
        metadata = own.export_run_metadata()
    finally:
        own.disable_graph_collection()
    return float(sum(_working_nodes(graphs.post_optimization_graph) for graphs in metadata.function_graphs))


def _working_nodes(graph: Any) -> int:
    """Return the number of nodes of a GraphDef, and of the functions in it, that compute something."""
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return sum(node.op not in NO_WORK for node in nodes)


def xla_kernels(space: Any) -> float:
    """Return the kernels of XLA's in the trace of a step on a CPU, an `XSpace`: in a loop, as often as they ran."""
    planes = [plane for plane in space.planes if plane.name == "/host:CPU"]
    events = [(plane, event) for plane in planes for line in plane.lines for event in line.events]
    return float(
        sum(
            any(plane.stat_metadata[each.metadata_id].name == HLO_STATISTIC for each in event.stats)
            for plane, event in events
        )
    )


def flops(graph: Any) -> float | str:
    """Return the floating-point operations of the matrix products and convolutions of a function's graph."""
    operators = _executed(graph)
    if loops := sorted({operator.type for operator in operators} & LOOPS):
        return f"how often the body of {loops[0]} runs is not known"
    counts = [_product_flops(operator) for operator in operators if operator.type in PRODUCTS]
    known = [count for count in counts if count is not None]
    return float(sum(known)) if len(known) == len(counts) else "the shape of a product is not known"


def _executed(graph: Any) -> list[Any]:
    """Return the operators of a function's graph that its results need: TensorFlow executes no others."""
    pending = [*(output.op for output in graph.outputs), *graph.control_outputs]
    needed = {}
    while pending:
        operator = pending.pop()
        if operator.name not in needed:
            needed[operator.name] = operator
            pending += [*(tensor.op for tensor in operator.inputs), *operator.control_inputs]
    return list(needed.values())


def _product_flops(operator: Any) -> int | None:
    """Return the operations of one of PRODUCTS, two for each multiply-add; None if its shapes are not known.

    The gradients of a convolution take as many as the convolution, for each number of the gradient of its output.
    """
    kind, inputs, output = operator.type, operator.inputs, operator.outputs[0]
    if "MatMul" in kind:
        transposed = operator.get_attr("transpose_a" if kind == "MatMul" else "adj_x")
        numbers, factors = output.shape.num_elements(), [inputs[0].shape[-2 if transposed else -1]]
    else:
        numbers = (inputs[2] if "Backprop" in kind else output).shape.num_elements()
        kernel = output.shape if kind.endswith("BackpropFilter") else inputs[1].shape  # (height, width, in, out)
        factors = list(kernel[:2] if kind.startswith("Depthwise") else kernel[:3])
    return None if numbers is None or None in factors else 2 * numbers * math.prod(factors)


def device_counts(space: Any) -> dict[str, float]:
    """Return kernels and copies on a GPU in the trace of a step, an `XSpace` (tsl/profiler/protobuf/xplane.proto)."""
    planes = [plane for plane in space.planes if plane.name.startswith("/device:GPU:")]
    streams = [(plane, line) for plane in planes for line in plane.lines if line.name.startswith("Stream #")]
    events = [(plane.event_metadata[e.metadata_id].name, e.duration_ps) for plane, line in streams for e in line.events]
    kernels = [duration_ps for name, duration_ps in events if not name.startswith("Mem")]
    copies = sum(name.startswith(BETWEEN_DEVICES) for name, _ in events)
    return {"kernels": float(len(kernels)), "kernel_s": sum(kernels) * 1e-12, "device_copies": float(copies)}


def peak_counts(step: Callable[[], object], device: str) -> dict[str, float]:
    """Return by how much one call of `step` raises the allocations on a GPU at most."""
    tf.config.experimental.reset_memory_stats(device)
    before = tf.config.experimental.get_memory_info(device)["current"]
    step()
    tf.test.experimental.sync_devices()
    return {"peak_bytes": float(max(0, tf.config.experimental.get_memory_info(device)["peak"] - before))}
