"""XLA's kernels in a trace and in its code: two ways to the same number."""

from __future__ import annotations

import re

NO_KERNELS = ("parameter", "constant", "tuple", "get-tuple-element", "bitcast")


def kernels() -> tuple[float, int]:
    """Return the kernels of a function that fuses, multiplies and sums: in its trace, and in the text of its entry."""
    import tensorflow as tf

    from joulemark.suite.trial.frameworks.adapter import Execution
    from joulemark.suite.trial.frameworks.tensorflow import Adapter

    adapter = Adapter(Execution("xla", "cpu", "fp32", threads=1))
    step = adapter.compile(lambda x: {"y": tf.reduce_sum(tf.nn.softmax(tf.sin(x * 2.0 + 1.0) @ x) @ x)})
    inputs = {"x": tf.ones((8, 8))}
    step(**inputs)
    traced: dict[str, float | str] = {}
    for counts in adapter.count_work(step, inputs):
        traced |= counts
    text = step.experimental_get_compiler_ir(**inputs)(stage="optimized_hlo")  # type: ignore[attr-defined]
    entry = re.search(r"^ENTRY .*?^}", text, re.MULTILINE | re.DOTALL)
    assert entry is not None
    codes = re.findall(r"^ +(?:ROOT )?%\S+ = .+? ([a-z][\w-]*)\(", entry[0], re.MULTILINE)
    return float(traced["kernels"]), sum(code not in NO_KERNELS for code in codes)
