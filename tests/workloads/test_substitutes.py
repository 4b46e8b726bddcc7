"""What is tested where equality between the frameworks cannot hold. The list is complete."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from framework_process import Job, Processes, having, prepare
from proofs import distance, perturb, updates

from joulemark.workloads.initial import fans
from joulemark.workloads.registry import workloads

WORKLOADS = workloads()


def keys_bias_learns_nothing(processes: Processes, framework: str, workload: str) -> None:
    """Softmax ignores what is added to all scores of a row, which is all that the key's bias does."""
    drawn = processes.run(Job(framework, workload, "training", steps=0)).before
    job = Job(framework, workload, "training", precision="fp64", steps=0, weights=perturb(drawn), gradients=True)
    gradients = processes.run(job).gradients
    keys = [name for name in gradients if name.endswith("key.bias")]
    assert keys
    for name in keys:
        query = np.linalg.norm(gradients[name.replace("key", "query")])
        assert query > 0
        assert np.linalg.norm(gradients[name]) < 1e-10 * query


def fused_bias_agrees_in_float64(processes: Processes, framework: str, workload: str) -> None:
    """In float64 the rounding is far below Adam's epsilon, so that the whole of it can be compared, both ways."""
    drawn = processes.run(Job(framework, workload, "training", steps=0)).before
    ours, theirs = (
        processes.run(
            Job(each, workload, "training", precision="fp64", steps=2, weights=perturb(drawn), gradients=True)
        )
        for each in ("pytorch", "tensorflow" if framework == "pytorch" else framework)
    )
    biases = [name for name in ours.gradients if name.endswith("qkv.bias")]
    assert biases
    for name in biases:
        query, key, value = np.split(ours.gradients[name], 3)
        assert np.linalg.norm(key) < 1e-10 * min(np.linalg.norm(query), np.linalg.norm(value))
        assert distance(ours.gradients[name], theirs.gradients[name]) < 1e-6
        assert distance(updates(ours)[name], updates(theirs)[name]) < 1e-6


def projections_beta_learns_nothing(processes: Processes, framework: str, workload: str) -> None:
    """Between a projection's norm and the next norm all is linear, so a shift is taken away again."""
    drawn = processes.run(Job(framework, workload, "training", steps=0)).before
    job = Job(framework, workload, "training", precision="fp64", steps=0, weights=perturb(drawn), gradients=True)
    gradients = processes.run(job).gradients
    betas = [name for name in gradients if name.endswith("project_norm.beta")]
    assert betas
    for name in betas:
        gamma = np.linalg.norm(gradients[name.replace("beta", "gamma")])
        assert gamma > 0
        assert np.linalg.norm(gradients[name]) < 1e-12 * gamma


def components_agree_but_for_signs(processes: Processes, framework: str, workload: str) -> None:
    """Against numpy's decomposition: components within 1e-9 up to a sign each, scores with the same signs."""
    job = Job(framework, workload, "inference", precision="fp64")
    points, actual = processes.call(framework, _points_and_components, job).result()
    centred = points[0] - points[0].mean(0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    count = actual["components"].shape[1]
    signs = np.sign((actual["components"][0] * rows[:count]).sum(1))
    assert np.all(np.abs(signs) == 1)
    assert distance(actual["components"][0] * signs[:, None], rows[:count]) < 1e-9
    assert distance(actual["scores"][0] * signs, centred @ rows[:count].T) < 1e-9
    assert distance(actual["variances"][0], singular[:count] ** 2 / (len(centred) - 1)) < 1e-9


def _points_and_components(job: Job) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    kit, program, inputs = prepare(job)
    return kit.array(inputs["points"]), {name: kit.array(t) for name, t in program.step(**inputs).items()}


def kernels_follow_the_rule(processes: Processes, framework: str, workload: str) -> None:
    """Mean 0, the rule's variance, a normal's fourth moment, within five standard errors; drawn anew in each step."""
    spec = WORKLOADS[workload]
    once, result = (processes.run(Job(framework, workload, "inference", steps=steps)) for steps in (1, 2))
    shapes = processes.call(framework, _neutral_shapes, workload).result()
    assert result.first.keys() == shapes.keys()
    standard = []
    for name, shape in shapes.items():
        into, out = fans(name, shape)
        variance = 2 / into if spec.variant == "he" else 2 / (into + out)
        drawn = result.last[name]
        assert sorted(drawn.shape) == sorted(shape)
        assert not np.array_equal(once.last[name], drawn)
        assert abs(drawn.mean()) < 5 * math.sqrt(variance / drawn.size)
        assert abs(drawn.var() / variance - 1) < 5 * math.sqrt(2 / drawn.size)
        standard.append(drawn.ravel() / math.sqrt(variance))
    powers = np.concatenate(standard) ** 4  # their mean is 3 and their variance 105 - 9
    assert abs(powers.mean() - 3) < 5 * math.sqrt(96 / powers.size) < 0.5, "not normal: truncated ones have 2.4"


def _neutral_shapes(workload: str) -> dict[str, tuple[int, ...]]:
    from joulemark.workloads.initialization import spec

    return spec.shapes(WORKLOADS[workload].sizes["tiny"])


SUBSTITUTES: dict[tuple[str, str], Callable[[Processes, str, str], None]] = {
    ("attention", "key.bias"): keys_bias_learns_nothing,
    ("transformer", "*.key.bias"): keys_bias_learns_nothing,
    ("bert", "*.qkv.bias"): fused_bias_agrees_in_float64,
    ("gpt2", "*.qkv.bias"): fused_bias_agrees_in_float64,
    ("ddpm", "*.key.bias"): keys_bias_learns_nothing,
    ("mobilenetv2", "*.project_norm.beta"): projections_beta_learns_nothing,
    ("transfer.frozen", "*.project_norm.beta"): projections_beta_learns_nothing,
    ("transfer.finetune", "*.project_norm.beta"): projections_beta_learns_nothing,
    ("pca", "components"): components_agree_but_for_signs,
    ("pca", "scores"): components_agree_but_for_signs,
    ("initialization.he", "kernel*"): kernels_follow_the_rule,
    ("initialization.glorot", "kernel*"): kernels_follow_the_rule,
}


def test_the_list_is_complete() -> None:
    assert set(SUBSTITUTES) == {(w.id, pattern) for w in WORKLOADS.values() for pattern in w.substitutes}


CASES = [(*key, framework) for key in SUBSTITUTES for framework in having(WORKLOADS[key[0]])]


@pytest.mark.parametrize(("workload", "pattern", "framework"), CASES)
def test_substitute_holds(processes: Processes, workload: str, pattern: str, framework: str) -> None:
    SUBSTITUTES[workload, pattern](processes, framework, workload)
