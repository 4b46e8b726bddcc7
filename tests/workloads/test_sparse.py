"""Tables whose gradients are sparse: a step moves the rows that it looks up. `idioms.toml`: no gradient is dense."""

from __future__ import annotations

import numpy as np
import pytest
from framework_process import SEED, Job, Processes, having, make_kit
from proofs import distance

from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Adam, Optimizer, Sgd
from joulemark.workloads.word2vec import spec as word2vec

FRAMEWORKS = having(workloads()["word2vec"])


@pytest.mark.parametrize("precision", ["fp64", "fp16"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_row_looked_up_twice_is_moved_by_the_sum(processes: Processes, framework: str, precision: str) -> None:
    """The dense gradient itself is held against golden values in test_golden."""
    job = Job(framework, "word2vec", "training", precision=precision, gradients=True)
    result = processes.run(job)
    spec = workloads()["word2vec"]
    size = spec.sizes["tiny"]
    arrays = spec.inputs(size, "training", size.batch_size["cpu"], np.random.default_rng(SEED))
    assert len(np.unique(arrays["negatives"])) < arrays["negatives"].size
    for name, before in result.before.items():
        moved = result.after[name].astype(np.float64) - before
        rate = word2vec.OPTIMIZER.learning_rate
        assert distance(moved, -rate * result.gradients[name]) < (1e-12 if precision == "fp64" else 1e-3)


def build_sparse(framework: str, definition: Optimizer) -> None:
    """Build the training of a sparse table. Runs in the framework's process."""
    kit = make_kit(framework, "fp32")
    kit.training(kit.embedding(3, 2, sparse=True), lambda **inputs: inputs, definition)


@pytest.mark.parametrize(
    "definition", [Adam(0.1), Sgd(0.1, momentum=0.9), Sgd(0.1, weight_decay=0.1), Sgd(0.1, clip_norm=1.0)], ids=str
)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_optimizer_that_needs_all_of_a_weight_refuses_them(
    processes: Processes, framework: str, definition: Optimizer
) -> None:
    error, text = (ValueError, "sparse gradients need SGD without momentum")
    if framework == "jax":
        error, text = (NotImplementedError, "JAX has no sparse gradients")
    with pytest.raises(error, match=text):
        processes.call(framework, build_sparse, framework, definition).result()


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_the_rows_of_a_step_are_those_expected(size: str) -> None:
    spec = workloads()["word2vec"]
    hyper, batch, drawn = spec.sizes[size], spec.sizes[size].batch_size["cpu"], []
    for seed in range(50):
        arrays = spec.inputs(hyper, "training", batch, np.random.default_rng(seed))
        context = np.union1d(arrays["contexts"], arrays["negatives"])
        drawn.append(len(np.unique(arrays["centres"])) + len(context))
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn) - word2vec.rows(hyper, batch)) < 4 * error
