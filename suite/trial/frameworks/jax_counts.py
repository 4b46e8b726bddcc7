"""What one step does in JAX: equations of its trace, XLA's kernels and plan of buffers, what the profiler sees."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, Final

import jax

from joulemark.suite.trial.gpu_busy import Interval
from joulemark.suite.trial.work_counts import Counts
from joulemark.workloads.kits.jax.step import Step

LOOPS: Final = frozenset({"while", "cond"})
"""Primitives whose bodies run a number of times that the trace does not tell."""
HLO_STATISTIC: Final = "hlo_op"
"""What marks the events of XLA's kernels (`StatType::kHloOp` in tsl/profiler/utils/xplane_schema.cc)."""
BETWEEN_DEVICES: Final = ("MemcpyH2D", "MemcpyD2H", "MemcpyP2P")


def trace_counts(program: Step, inputs: Mapping[str, Any], mode: str) -> Counts:
    """Return what the trace of a step tells, before XLA optimises it."""
    trace = jax.make_jaxpr(program.compute)(program.state, program.fixed, inputs).jaxpr
    if mode == "eager":
        return {"operators": float(len(trace.eqns)), "flops": flops(trace)}
    return {"graph_nodes": float(nodes(trace)), "flops": flops(trace)}


def peak_counts(program: Step, inputs: Mapping[str, Any]) -> dict[str, float]:
    """Return what XLA's plan of buffers adds to the state, which a step takes over. It compiles the step once more."""
    plan = program.jitted.lower(program.state, program.fixed, inputs).compile().memory_analysis()
    if plan is None:
        return {}
    return {"peak_bytes": float(plan.temp_size_in_bytes + plan.output_size_in_bytes - plan.alias_size_in_bytes)}


def xla_kernels(profile: Any) -> float:
    """Return the kernels of XLA's in the profile of a step on a CPU: in a loop, as often as they ran."""
    planes = [plane for plane in profile.planes if plane.name == "/host:CPU"]
    events = [event for plane in planes for line in plane.lines for event in line.events]
    return float(sum(any(name == HLO_STATISTIC for name, _ in event.stats) for event in events))


def nodes(trace: Any) -> int:
    """Return the number of equations of a jaxpr, those in loops and functions included, before XLA optimises them."""
    within = [inner for equation in trace.eqns for inner in inner_traces(equation)]
    return len(trace.eqns) + sum(map(nodes, within))


def flops(trace: Any) -> float | str:
    """Return the floating-point operations of the matrix products and convolutions of a jaxpr."""
    total = 0.0
    for equation in trace.eqns:
        name, parameters = equation.primitive.name, equation.params
        if name in LOOPS:
            return f"how often the body of {name} runs is not known"
        if name == "dot_general":
            total += _dot_flops(equation)
        elif name == "conv_general_dilated":
            total += _convolution_flops(equation)
        for inner in inner_traces(equation):
            within = flops(inner)
            if isinstance(within, str):
                return within
            total += within * (parameters["length"] if name == "scan" else 1)
    return total


def inner_traces(equation: Any) -> list[Any]:
    """Return the jaxprs in an equation: of a loop, of a function that is compiled or differentiated by itself."""
    values = equation.params.values()
    each = itertools.chain.from_iterable(v if isinstance(v, (tuple, list)) else (v,) for v in values)
    return [value for value in each if hasattr(value, "eqns")]


def _dot_flops(equation: Any) -> float:
    """Return two for each multiply-add of a `dot_general`."""
    (contracted, _), _ = equation.params["dimension_numbers"]
    shape = equation.invars[0].aval.shape
    return 2.0 * int(equation.outvars[0].aval.size) * math.prod(int(shape[axis]) for axis in contracted)


def _convolution_flops(equation: Any) -> float:
    """Return two for each multiply-add of a convolution, without those of zeros between pixels.

    The gradient of a strided convolution's input is a convolution with such zeros: it multiplies each number that it
    reads by each of the kernel that it meets, as the convolution itself does for each number that it writes.
    """
    numbers = equation.params["dimension_numbers"]
    image, kernel = (variable.aval for variable in equation.invars)
    result = equation.outvars[0].aval
    window = math.prod(kernel.shape[axis] for axis in numbers.rhs_spec[2:])
    width, width_in = (kernel.shape[axis] for axis in numbers.rhs_spec[:2])  # width_in: of a group
    groups = equation.params["feature_group_count"]
    return 2.0 * int(window) * float(min(result.size * width_in, image.size * width / groups))


def _device_events(profile: Any) -> list[tuple[str, float, float]]:
    """Return name, start and duration of what ran on GPUs, seconds. Memory that is only held is left out."""
    planes = [plane for plane in profile.planes if plane.name.startswith("/device:GPU:")]
    lines = [line for plane in planes for line in plane.lines if line.name.startswith("Stream #")]
    events = [event for line in lines for event in line.events]
    # Counted from the first one: nanoseconds since 1970 do not fit a float.
    origin_ns = min((event.start_ns for event in events), default=0)
    return [(event.name, (event.start_ns - origin_ns) * 1e-9, event.duration_ns * 1e-9) for event in events]


def trace_intervals(profile: Any) -> list[Interval]:
    """Return when a GPU was busy, seconds, from a `jax.profiler.ProfileData`."""
    return [
        (start_s, start_s + length_s)
        for name, start_s, length_s in _device_events(profile)
        if not name.startswith("Memory")
    ]


def device_counts(profile: Any) -> dict[str, float]:
    """Return kernels and copies on a GPU in the profile of a step."""
    events = _device_events(profile)
    kernels = [length_s for name, _, length_s in events if not name.startswith("Mem")]
    copies = sum(name.startswith(BETWEEN_DEVICES) for name, _, _ in events)
    return {"kernels": float(len(kernels)), "kernel_s": sum(kernels), "device_copies": float(copies)}
