"""Golden values of seq2seq, char_rnn and word2vec, in plain arithmetic from the papers' equations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from golden_values import Golden

from studies.golden.arithmetic import Shapes, Tensors, dense, dense_shapes, reference, sigmoid
from studies.golden.tokens import checked, greedy, prompt, text
from studies.golden.torch_reference import Descent, cross_entropy, inference, training

LSTM = "Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000"
State = tuple[torch.Tensor, torch.Tensor]


def lstm_shapes(name: str, width_in: int, width: int) -> Shapes:
    """Return the shapes of an LSTM's weights, for input gate, forget gate, candidate and output gate side by side."""
    return {
        f"{name}.kernel": (width_in, 4 * width),
        f"{name}.recurrent_kernel": (width, 4 * width),
        f"{name}.bias": (4 * width,),
    }


def lstm(weights: Tensors, name: str, x: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
    """Return the states (B, T, width) of x (B, T, width_in), and the last state and cell."""
    hidden, cell = state
    states = []
    for each in x.unbind(1):
        sums = dense(weights, name, each) + hidden @ weights[f"{name}.recurrent_kernel"]
        entered, forgotten, candidate, shown = sums.chunk(4, dim=-1)
        cell = sigmoid(forgotten) * cell + sigmoid(entered) * torch.tanh(candidate)
        hidden = sigmoid(shown) * torch.tanh(cell)
        states.append(hidden)
    return torch.stack(states, dim=1), (hidden, cell)


def zeros(batch: int, width: int) -> State:
    """Return state and cell before the first token."""
    return torch.zeros((batch, width), dtype=torch.float64), torch.zeros((batch, width), dtype=torch.float64)


# seq2seq

SOURCE, TARGET, WIDTH, VOCABULARY, BATCH, REACH = 6, 5, 8, 12, 3, 2
SEQ2SEQ = {
    "source.embeddings": (VOCABULARY, WIDTH),
    "target.embeddings": (VOCABULARY, WIDTH),
    **lstm_shapes("encoder", WIDTH, WIDTH),
    **lstm_shapes("decoder", WIDTH, WIDTH),
    "score.kernel": (WIDTH, WIDTH),
    **dense_shapes("combine", 2 * WIDTH, WIDTH),
    **dense_shapes("words", WIDTH, VOCABULARY),
}


def translate(local: bool, weights: Tensors, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return logits (B, T, vocabulary) by Luong et al. 2015, equations 5 to 8: score "general"; locally, p_t = t."""
    memory, last = lstm(weights, "encoder", weights["source.embeddings"][source], zeros(BATCH, WIDTH))
    states, _ = lstm(weights, "decoder", weights["target.embeddings"][target], last)
    scores = torch.einsum("bti,ji,bsj->bts", states, weights["score.kernel"], memory)
    if local:
        apart = torch.arange(source.shape[1]) - torch.arange(target.shape[1])[:, None]  # (T, S)
        scores = scores.masked_fill(apart.abs() > REACH, -torch.inf)
    context = scores.softmax(-1) @ memory
    attended = torch.tanh(dense(weights, "combine", torch.cat([context, states], dim=-1)))
    return dense(weights, "words", attended)


def seq2seq(attention: str) -> Iterator[Golden]:
    """Yield forward, training and generation."""
    workload, source = f"seq2seq.{attention}", f"Luong et al. 2015, equations 5 to 8; {LSTM}"
    logits = partial(translate, attention == "local")
    # Large scores: attention is far from a mean. Large logits: gradients are clipped.
    factors = {"score.kernel": 4.0, "words.kernel": 8.0}

    def forward(weights: Tensors, source: torch.Tensor, target: torch.Tensor) -> Tensors:
        return {"logits": logits(weights, source, target)}

    def learn(weights: Tensors, source: torch.Tensor, target: torch.Tensor, labels: torch.Tensor) -> Tensors:
        return {"loss": cross_entropy(logits(weights, source, target).flatten(0, 1), labels.flatten())}

    def generate(weights: Tensors) -> Tensors:
        sources = prompt(VOCABULARY, (BATCH, SOURCE))
        begin = torch.zeros((BATCH, 1), dtype=torch.int64)
        return greedy(lambda tokens: logits(weights, sources, tokens), begin, TARGET)

    target = text("seq2seq target", VOCABULARY, (BATCH, TARGET + 1))
    inputs = {"source": text("seq2seq source", VOCABULARY, (BATCH, SOURCE)), "target": target[:, :-1]}
    yield replace(inference(workload, reference(source, SEQ2SEQ, forward), inputs, factors), phase="forward")
    descent = Descent(partial(torch.optim.Adam, lr=0.001), clip_norm=5.0)
    labelled = inputs | {"labels": target[:, 1:]}
    yield training(workload, reference(source, SEQ2SEQ, learn), labelled, descent, factors)
    generated = inference(workload, reference(source, SEQ2SEQ, generate), {}, factors)
    yield replace(generated, phase="generation", steps=TARGET)


# char_rnn

CHARACTERS, CELLS, LENGTH, WINDOWS = 8, 8, 5, 4
CHAR_RNN = {**lstm_shapes("lstm", CHARACTERS, CELLS), **dense_shapes("head", CELLS, CHARACTERS)}
ONE_HOT = np.eye(CHARACTERS)


def char_rnn() -> Iterator[Golden]:
    """Yield training and generation, which samples by the inverse of the distribution's sums."""

    def learn(weights: Tensors, window: torch.Tensor, labels: torch.Tensor) -> Tensors:
        states, _ = lstm(weights, "lstm", window, zeros(WINDOWS, CELLS))
        return {"loss": cross_entropy(dense(weights, "head", states[:, -1]), labels)}

    def generate(weights: Tensors, chance: torch.Tensor) -> Tensors:
        one_hot = torch.from_numpy(ONE_HOT)
        characters = prompt(CHARACTERS, (WINDOWS, LENGTH))
        _, state = lstm(weights, "lstm", one_hot[characters[:, :-1]], zeros(WINDOWS, CELLS))
        for _ in range(LENGTH):
            states, state = lstm(weights, "lstm", one_hot[characters[:, -1:]], state)
            odds = dense(weights, "head", states[:, 0]).softmax(-1)
            characters = torch.cat([characters, torch.searchsorted(odds.cumsum(-1), chance)], dim=1)
        return {"odds": odds, "next": checked(characters[:, LENGTH:])[:, -1]}

    inputs = {
        "window": ONE_HOT[text("char_rnn window", CHARACTERS, (WINDOWS, LENGTH))],
        "labels": text("char_rnn labels", CHARACTERS, (WINDOWS,)),
    }
    descent = Descent(partial(torch.optim.Adam, lr=0.002), clip_norm=5.0)
    factors = {"head.kernel": 24.0}  # large logits: gradients are clipped
    yield training("char_rnn", reference(LSTM, CHAR_RNN, learn), inputs, descent, factors)
    chance = np.array([[0.15], [0.4], [0.6], [0.85]])
    factors = {"head.kernel": 4.0, "lstm.*kernel": 3.0}  # the characters of each text change
    generated = inference("char_rnn", reference(LSTM, CHAR_RNN, generate), {"chance": chance}, factors)
    yield replace(generated, phase="generation", steps=LENGTH)


# word2vec


def word2vec() -> Iterator[Golden]:
    """Yield training. A centre and a negative come twice; some negatives are contexts of other centres."""

    def learn(weights: Tensors, centres: torch.Tensor, contexts: torch.Tensor, negatives: torch.Tensor) -> Tensors:
        vectors, others = weights["centre.embeddings"][centres], weights["context.embeddings"]
        near, far = ((others[each] * vectors[:, None]).sum(-1) for each in (contexts, negatives))
        objective = torch.log(sigmoid(near)).sum(1) + torch.log(sigmoid(-far)).sum(1)  # (B,), to be maximised
        return {"loss": -objective.mean()}

    inputs = {
        "centres": np.array([3, 0, 3, 7]),
        "contexts": np.array([[5], [2], [1], [19]]),
        "negatives": np.array([[0, 4, 4], [6, 1, 0], [9, 5, 12], [2, 17, 8]]),
    }
    shapes = {"centre.embeddings": (20, 8), "context.embeddings": (20, 8)}
    descent = Descent(partial(torch.optim.SGD, lr=1.0))
    yield training("word2vec", reference("Mikolov et al. 2013, equation 4", shapes, learn), inputs, descent)


GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {
    "seq2seq.global": partial(seq2seq, "global"),
    "seq2seq.local": partial(seq2seq, "local"),
    "char_rnn": char_rnn,
    "word2vec": word2vec,
}
