"""Models are right, not only equal: against papers' equations, numpy, and themselves by another way."""

from __future__ import annotations

import contextlib
import importlib

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, make_kit, prepare
from proofs import distance, perturb

from joulemark.workloads.ddpm import spec as ddpm
from joulemark.workloads.registry import workloads

EACH = pytest.mark.parametrize("framework", FRAMEWORKS)


def attend(framework: str, q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool) -> np.ndarray:
    """The kit's attention. Runs in the framework's process."""
    kit = make_kit(framework, "fp64")
    return kit.array(kit.attention(kit.tensor(q), kit.tensor(k), kit.tensor(v), causal=causal))


@EACH
@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_the_paper(processes: Processes, framework: str, causal: bool) -> None:
    q, k, v = np.random.default_rng(0).standard_normal((3, 2, 3, 5, 4))  # (B, heads, T, D)
    scores = np.einsum("bhtd,bhsd->bhts", q, k) / np.sqrt(4)
    if causal:
        scores = np.where(np.tril(np.ones((5, 5), bool)), scores, -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    expected = np.einsum("bhts,bhsd->bhtd", weights, v)
    actual = processes.call(framework, attend, framework, q, k, v, causal).result()
    assert distance(actual, expected) < 1e-12


@EACH
@pytest.mark.parametrize("step", [0, 1])
def test_ddpm_reverse_step_is_the_papers(processes: Processes, framework: str, step: int) -> None:
    """Algorithm 2, line 4, with the network's guess taken from its own training phase: at the first step, where the
    image is all noise, loss and guess give each other away; so here by linearity in the noise that is added."""
    actual = processes.call(framework, reverse, framework, step).result()
    t = ddpm.STEPS - 1 - step
    beta = np.linspace(1e-4, 0.02, 1000)[t]
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[t]
    # what the network must have said for the step without noise to come out as it did
    guess = (actual["images"] - np.sqrt(1 - beta) * actual["calm"]) * np.sqrt(1 - kept) / beta
    assert distance(actual["stepped"], actual["calm"] + np.sqrt(beta) * actual["noise"]) < 1e-12
    # and that is what it says when it is asked in training: the squared error against noise 0 of the same noisy image
    assert actual["loss"] == pytest.approx((guess**2).mean(), rel=1e-9)


def reverse(framework: str, step: int) -> dict[str, np.ndarray]:
    """Reverse step number `step`, with and without its noise; the loss of the same image taken for a noised one."""
    kit, program, inputs = prepare(Job(framework, "ddpm", "generation", precision="fp64"))
    size = workloads()["ddpm"].sizes["tiny"]
    still = kit.tensor(np.zeros(tuple(inputs["noise"].shape)))
    actual = {"noise": kit.array(inputs["noise"]), "images": ddpm.start(size.at(size.batch_size["cpu"]), kit.seed)}
    for name, noise in (("stepped", inputs["noise"]), ("calm", still)):
        program.initialise()
        for _ in range(step):
            actual["images"] = kit.array(program.step(**inputs)["images"])
        actual[name] = kit.array(program.step(noise=noise)["images"])
    _, training, _ = prepare(Job(framework, "ddpm", "training", precision="fp64", weights=program.weights()))
    times = np.full(len(actual["images"]), ddpm.STEPS - 1 - step)
    # sqrt(kept) x0 + sqrt(1 - kept) 0 is the image when x0 is the image over sqrt(kept)
    clean = kit.tensor(actual["images"] / np.sqrt(ddpm.schedule().kept[times][:, None, None, None]))
    outputs, _ = training.gradients(images=clean, noise=still, times=kit.tensor(times))
    actual["loss"] = kit.array(outputs["loss"])
    return actual


def test_ddpm_schedule_by_hand() -> None:
    schedule = ddpm.schedule()
    assert schedule.beta[0] == 1e-4
    assert schedule.beta[-1] == 0.02
    assert schedule.kept[1] == pytest.approx((1 - 1e-4) * (1 - (1e-4 + (0.02 - 1e-4) / 999)))


def vae_losses(framework: str) -> dict[str, np.ndarray]:
    """Outputs of a training step, and the weights it starts from. Runs in the framework's process."""
    _, first, _ = prepare(Job(framework, "vae", "training", precision="fp64"))
    kit, program, inputs = prepare(
        Job(framework, "vae", "training", precision="fp64", weights=perturb(first.weights()))
    )
    outputs, _ = program.gradients(**inputs)
    actual = {name: kit.array(tensor) for name, tensor in {**inputs, **outputs}.items()}
    return {**actual, **program.weights()}


@EACH
def test_vaes_divergence_is_the_closed_form(processes: Processes, framework: str) -> None:
    """Between N(m, s^2) and N(0, 1): log(1 / s) + (s^2 + m^2) / 2 - 1 / 2, summed over the code."""
    actual = processes.call(framework, vae_losses, framework).result()

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ actual[f"{name}.kernel"] + actual[f"{name}.bias"]

    hidden = np.maximum(dense(actual["images"], "hidden"), 0)
    mean, deviation = dense(hidden, "mean"), np.exp(dense(hidden, "log_variance") / 2)
    divergence = (np.log(1 / deviation) + (deviation**2 + mean**2) / 2 - 0.5).sum(1).mean()
    assert actual["divergence"] == pytest.approx(divergence, rel=1e-9)
    pixels = dense(np.maximum(dense(mean + deviation * actual["noise"], "up"), 0), "pixels")
    chance = 1 / (1 + np.exp(-pixels))
    entropy = -(actual["images"] * np.log(chance) + (1 - actual["images"]) * np.log(1 - chance)).sum(1).mean()
    assert actual["loss"] == pytest.approx(entropy + divergence, rel=1e-9)


def adversaries(framework: str, learning: str) -> list[float]:
    """The loss of the part that learns, step by step, the other part put back after each. Runs in the process."""
    kit, program, inputs = prepare(Job(framework, "dcgan", "training"))
    start, losses = program.weights(), []
    for _ in range(15):
        outputs = program.step(**inputs)
        losses.append(float(kit.array(outputs[f"{learning}_loss"])))
        kept = program.weights()
        program.load_weights({name: (kept if name.startswith(learning) else start)[name] for name in start})
    return losses


@EACH
@pytest.mark.parametrize("learning", ["discriminator", "generator"])
def test_each_adversary_learns_against_the_other_frozen(processes: Processes, framework: str, learning: str) -> None:
    losses = processes.call(framework, adversaries, framework, learning).result()
    assert losses[-1] < losses[0]


def slopes(framework: str, workload: str, count: int) -> list[tuple[str, float, float]]:
    """(weight, gradient, slope by central differences) at some places of each weight. Runs in the process."""
    _, first, _ = prepare(Job(framework, workload, "training", precision="fp64"))
    weights = {name: array.astype(np.float64) for name, array in perturb(first.weights()).items()}
    kit, program, inputs = prepare(Job(framework, workload, "training", precision="fp64", weights=weights))
    _, gradients = program.gradients(**inputs)
    generator, actual = np.random.default_rng(5), []
    for name in program.trainable():
        for _ in range(count):
            place = tuple(generator.integers(0, edge) for edge in weights[name].shape)
            losses = []
            for shift in (1e-5, -1e-5):
                moved = {key: array.copy() for key, array in weights.items()}
                moved[name][place] += shift
                program.load_weights(moved)
                losses.append(float(kit.array(program.gradients(**inputs)[0]["loss"])))
            actual.append((name, float(gradients[name][place]), (losses[0] - losses[1]) / 2e-5))
    return actual


@EACH
@pytest.mark.parametrize(("workload", "count"), [("word2vec", 12), ("tsne", 12), ("umap", 12)])
def test_gradients_are_the_slopes(processes: Processes, framework: str, workload: str, count: int) -> None:
    actual = processes.call(framework, slopes, framework, workload, count).result()
    gradients, measured = (np.array([row[i] for row in actual]) for i in (1, 2))
    assert np.any(gradients)
    assert distance(gradients, measured) < 1e-6


def contrast(framework: str, z: np.ndarray, precision: str = "fp64") -> float:
    """The framework's NT-Xent, as a step of that precision computes it. Runs in its process."""
    kit = make_kit(framework, precision)
    module = importlib.import_module(f"joulemark.workloads.simclr.{framework}")
    with kit.autocast() if framework == "pytorch" else contextlib.nullcontext():
        return float(kit.array(module.nt_xent(kit, kit.tensor(z))))


@EACH
def test_a_loss_is_of_float32_in_half_precision_too(processes: Processes, framework: str) -> None:
    z = np.random.default_rng(2).integers(-99, 99, (16, 32)).astype(np.float32)  # which bf16 holds exactly
    half, single = (processes.call(framework, contrast, framework, z, p).result() for p in ("bf16", "fp32"))
    assert half == pytest.approx(single, rel=1e-6)


@EACH
def test_nt_xent_is_equation_1(processes: Processes, framework: str) -> None:
    count, temperature = 3, 0.5
    z = np.random.default_rng(2).standard_normal((2 * count, 5))
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    total = 0.0
    for i in range(2 * count):
        others = [np.exp(unit[i] @ unit[k] / temperature) for k in range(2 * count) if k != i]
        total -= np.log(np.exp(unit[i] @ unit[(i + count) % (2 * count)] / temperature) / sum(others))
    actual = processes.call(framework, contrast, framework, z).result()
    assert actual == pytest.approx(total / (2 * count), rel=1e-12)
