"""Generation is generation: a step goes on where the step before has ended, as one pass over all of it would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from framework_process import DEFAULT_MODE, FRAMEWORKS, SEED, Job, Processes, compiled, prepare, proof_step
from proofs import distance, perturb

from joulemark.workloads.char_rnn import spec as char_rnn
from joulemark.workloads.gpt2 import spec as gpt2
from joulemark.workloads.registry import workloads
from joulemark.workloads.seq2seq import spec as seq2seq
from joulemark.workloads.transformer import spec as transformer

EACH = pytest.mark.parametrize("framework", FRAMEWORKS)
STOP = {"gpt2": 4, "llama": 4, "moe": 4, "transformer": 5, "seq2seq.global": 5, "seq2seq.local": 5, "char_rnn": 5}
"""Steps after which generation at size `tiny` starts anew."""
DECODERS = ("gpt2", "llama", "moe")
"""They answer a prompt."""
Arrays = dict[str, np.ndarray]


def sized(workload: str) -> Any:
    """Return size `tiny` at the batch size of the tests."""
    size = workloads()[workload].sizes["tiny"]
    return size.at(size.batch_size["cpu"])


def generate(framework: str, workload: str, kit_path: str | None = None) -> tuple[Arrays, Arrays, Arrays]:
    """Return outputs of each step, (N, B, ...), to the end and two steps beyond; inputs; weights.

    Runs in the framework's process. Large kernels and small offsets make tokens differ: otherwise, with an output layer
    that is the embedding, the likeliest next token is the last one.
    """
    kit, program, inputs = prepare(Job(framework, workload, "generation", precision="fp64", kit=kit_path))
    factors = {"kernel": 3.0, "bias": 0.05, "beta": 0.05}
    weights = perturb(program.weights())
    program.load_weights({name: w * factors.get(name.rpartition(".")[2], 1.0) for name, w in weights.items()})
    step = proof_step(framework, program)
    outputs = [step(**inputs) for _ in range(STOP[workload] + 2)]
    arrays = [{name: kit.array(tensor) for name, tensor in each.items()} for each in outputs]
    stacked = {name: np.stack([each[name] for each in arrays]) for name in arrays[0]}
    return stacked, {name: kit.array(tensor) for name, tensor in inputs.items()}, program.weights()


def one_pass(framework: str, workload: str, weights: Arrays, tokens: np.ndarray) -> np.ndarray:
    """Return the logits (N, B, vocabulary) that lead to the tokens (N, B), without a cache. Runs in the process."""
    size = sized(workload)
    phase = "prefill" if workload in DECODERS else "forward"
    kit, program, _ = prepare(Job(framework, workload, phase, precision="fp64", weights=weights))
    if workload in DECODERS:
        text, logits = gpt2.prompt(size, kit.seed), []
        first = kit.array(program.step(tokens=kit.tensor(text))["next"])
        for token in (first, *tokens[:-1]):
            text = np.concatenate([text, token[:, None]], axis=1)
            logits.append(kit.array(program.step(tokens=kit.tensor(text))["logits"]))
        return np.stack(logits)
    spec = transformer if workload == "transformer" else seq2seq
    target = np.stack([np.full(size.batch, spec.BEGIN), *tokens[:-1]], axis=1)
    outputs = program.step(source=kit.tensor(spec.sources(size, kit.seed)), target=kit.tensor(target))
    return kit.array(outputs["logits"]).swapaxes(0, 1)


def mistakes(framework: str, workload: str, kit_path: str | None = None) -> list[str]:
    """Return what is wrong with the generation of a workload. Runs in the framework's process."""
    outputs, _, weights = generate(framework, workload, kit_path)
    logits, tokens, stop = outputs["logits"], outputs["next"], STOP[workload]
    gap = distance(logits[:stop], one_pass(framework, workload, weights, tokens[:stop]))
    checks = {
        f"logits differ by {gap:.1e} from those of one pass": gap < 1e-12,
        "a token is not the likeliest": np.array_equal(tokens, logits.argmax(-1)),
        "it does not start anew": np.array_equal(logits[stop:], logits[:2]),
    }
    return [mistake for mistake, passed in checks.items() if not passed]


@EACH
@pytest.mark.parametrize("workload", [*DECODERS, "transformer", "seq2seq.global", "seq2seq.local"])
def test_steps_with_a_state_are_one_pass_without(processes: Processes, framework: str, workload: str) -> None:
    assert processes.call(framework, mistakes, framework, workload).result() == []


@pytest.mark.parametrize(
    ("workload", "fault"),
    [
        ("gpt2", "WrongPlace"),
        ("gpt2", "StuckPosition"),
        ("gpt2", "TokenNotFedBack"),
        ("gpt2", "AnewTooEarly"),
        ("llama", "WrongPlace"),
        ("llama", "StuckPosition"),
        ("transformer", "TokenNotFedBack"),
        ("seq2seq.global", "StateNotFedBack"),
    ],
)
def test_planted_faults_are_detected(processes: Processes, workload: str, fault: str) -> None:
    assert processes.call("pytorch", mistakes, "pytorch", workload, f"faulty_generation:{fault}").result()


def answers(framework: str, workload: str, mode: str) -> list[str]:
    """Return what is wrong with a response: its pieces against prefill and generation. Runs in the process."""
    kit, generation, _ = prepare(Job(framework, workload, "generation", precision="fp64"))
    weights = {name: w * (2.0 if name.endswith("kernel") else 1.0) for name, w in perturb(generation.weights()).items()}
    generation.load_weights(weights)
    whole = [kit.array(generation.step()["logits"]) for _ in range(STOP[workload] - 1)]
    kit, program, inputs = prepare(Job(framework, workload, "response", precision="fp64", weights=weights))
    alone = prepare(Job(framework, workload, "prefill", precision="fp64", weights=weights))[1].step(**inputs)
    prefill, step = (compiled(framework, mode, function) for function in (program.prefill, program.step))

    def steps(count: int) -> list[np.ndarray]:
        return [kit.array(step()["logits"]) for _ in range(count)]

    seed = gpt2.prompt(sized(workload), kit.seed)
    anew = steps(STOP[workload] + 1)
    other, after_other = kit.array(prefill(**inputs)["logits"]), steps(2)  # not to the end: a prefill begins anew
    first = kit.array(prefill(tokens=kit.tensor(seed))["next"])
    answer = steps(STOP[workload] - 1)
    program.rewind(1)
    checks = {
        "it does not begin behind the prompt of its seed": np.allclose(anew[:3], whole, atol=1e-12),
        "it does not start anew after its last token": np.allclose(anew[3:], whole[:2], atol=1e-12),
        "a prefill is not that of its phase": np.allclose(other, kit.array(alone["logits"]), atol=1e-12),
        "steps do not follow the prompt that was read": not np.allclose(after_other[0], whole[0], atol=1e-3),
        "an answer is not what generation goes through": np.allclose(answer, whole, atol=1e-12),
        "a rewound step is not at its place": not np.allclose(steps(1)[0], whole[0], atol=1e-3),
        "a first token is missing": first.shape == (len(seed),),
    }
    return [mistake for mistake, passed in checks.items() if not passed]


@EACH
@pytest.mark.parametrize("workload", DECODERS)
def test_a_response_is_a_prefill_and_the_generation_behind_it(
    processes: Processes, framework: str, workload: str
) -> None:
    assert processes.call(framework, answers, framework, workload, DEFAULT_MODE[framework]).result() == []


def softmax(x: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis."""
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def lstm(weights: Arrays, name: str, x: np.ndarray, state: tuple[np.ndarray, np.ndarray] | None = None) -> Any:
    """Return the states (B, T, C) of an LSTM over x (B, T, C'), and the last state and cell."""
    kernel, recurrent, bias = (weights[f"{name}.{leaf}"] for leaf in ("kernel", "recurrent_kernel", "bias"))
    hidden, cell = state or (np.zeros((len(x), len(recurrent))),) * 2
    states = []
    for column in x.swapaxes(0, 1):
        enter, forget, change, leave = np.split(column @ kernel + hidden @ recurrent + bias, 4, axis=1)
        enter, forget, leave = (1 / (1 + np.exp(-gate)) for gate in (enter, forget, leave))
        cell = forget * cell + enter * np.tanh(change)
        hidden = leave * np.tanh(cell)
        states.append(hidden)
    return np.stack(states, axis=1), (hidden, cell)


@EACH
def test_char_rnn_goes_on_from_its_prompt(processes: Processes, framework: str) -> None:
    outputs, inputs, weights = processes.call(framework, generate, framework, "char_rnn").result()
    size, stop = sized("char_rnn"), STOP["char_rnn"]
    text = char_rnn.prompt(size, SEED)
    for step in range(stop):
        states, _ = lstm(weights, "lstm", np.eye(size.characters)[text])
        odds = softmax(states[:, -1] @ weights["head.kernel"] + weights["head.bias"])
        following = (odds.cumsum(-1) < inputs["chance"]).sum(-1)
        assert distance(outputs["odds"][step], odds) < 1e-12
        assert np.array_equal(outputs["next"][step], following)
        text = np.concatenate([text, following[:, None]], axis=1)
    assert np.array_equal(outputs["odds"][stop:], outputs["odds"][:2])


@EACH
@pytest.mark.parametrize("attention", ["global", "local"])
def test_seq2seq_is_luongs(processes: Processes, framework: str, attention: str) -> None:
    """Equations 3 to 7; local attention here over all places, of which those outside the window have no weight."""
    name = f"seq2seq.{attention}"
    drawn = processes.run(Job("pytorch", name, "forward", steps=0)).before
    job = Job(framework, name, "forward", precision="fp64", weights=perturb(drawn))
    inputs, logits = processes.call(framework, forward, job).result()
    weights = {key: array.astype(np.float64) for key, array in perturb(drawn).items()}
    memory, last = lstm(weights, "encoder", weights["source.embeddings"][inputs["source"]])
    states, _ = lstm(weights, "decoder", weights["target.embeddings"][inputs["target"]], last)
    scores = states @ (memory @ weights["score.kernel"]).swapaxes(1, 2)
    if attention == "local":
        size = sized(name)
        gaps = abs(np.arange(size.source) - np.arange(size.target)[:, None])
        scores = np.where(gaps <= size.reach, scores, -np.inf)
    both = np.concatenate([softmax(scores) @ memory, states], axis=-1)
    combined = np.tanh(both @ weights["combine.kernel"] + weights["combine.bias"])
    assert distance(logits, combined @ weights["words.kernel"] + weights["words.bias"]) < 1e-12


def forward(job: Job) -> tuple[Arrays, np.ndarray]:
    """Return the inputs of a step and its logits. Runs in the framework's process."""
    kit, program, inputs = prepare(job)
    return {name: kit.array(tensor) for name, tensor in inputs.items()}, kit.array(program.step(**inputs)["logits"])
