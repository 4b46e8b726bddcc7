"""XLA's kernels in a trace and in its code: two ways to the same number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from joulemark.suite.trial.work_counts import Counts

NO_KERNELS = ("parameter", "constant", "tuple", "get-tuple-element", "bitcast")


def kernels(framework: str) -> tuple[float, int]:
    """Return the kernels of a function that fuses, multiplies and sums: in its trace, and in the text of its entry."""
    text, counts = (_in_jax if framework == "jax" else _in_tensorflow)()
    counted: dict[str, float | str] = {}
    for each in counts:
        counted |= each
    entry = re.search(r"^ENTRY .*?^}", text, re.MULTILINE | re.DOTALL)
    assert entry is not None
    codes = re.findall(r"^ +(?:ROOT )?%\S+ = .+? ([a-z][\w-]*)\(", entry[0], re.MULTILINE)
    return float(counted["kernels"]), sum(code not in NO_KERNELS for code in codes)


def _in_tensorflow() -> tuple[str, Iterator[Counts]]:
    """Return the text of the module, and what the adapter counts."""
    import tensorflow as tf

    from joulemark.suite.trial.frameworks.adapter import Execution
    from joulemark.suite.trial.frameworks.tensorflow import Adapter

    adapter = Adapter(Execution("xla", "cpu", "fp32", threads=1))
    step = adapter.compile(lambda x: {"y": tf.reduce_sum(tf.nn.softmax(tf.sin(x * 2.0 + 1.0) @ x) @ x)})
    inputs = {"x": tf.ones((8, 8))}
    step(**inputs)
    text = step.experimental_get_compiler_ir(**inputs)(stage="optimized_hlo")  # type: ignore[attr-defined]
    return text, adapter.count_work(step, inputs)


def _in_jax() -> tuple[str, Iterator[Counts]]:
    """Return the text of the module, and what the adapter counts."""
    import jax
    import jax.numpy as jnp

    from joulemark.suite.trial.frameworks.adapter import Execution
    from joulemark.suite.trial.frameworks.jax import Adapter

    def function(x: jax.Array) -> dict[str, jax.Array]:
        return {"y": jnp.sum(jax.nn.softmax(jnp.sin(x * 2.0 + 1.0) @ x) @ x)}

    adapter = Adapter(Execution("jit", "cpu", "fp32", threads=1))
    step = adapter.compile(function)
    inputs = {"x": jnp.ones((8, 8))}
    step(**inputs)
    return jax.jit(function).lower(**inputs).compile().as_text(), adapter.count_work(step, inputs)
