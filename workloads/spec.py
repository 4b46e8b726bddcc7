"""The contract of a workload: what its `spec.py` defines. `kit.py` has what its `build` functions use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from joulemark.workloads.version import spec_version, version

Phase = Literal["inference", "training", "generation", "prefill", "response", "forward"]
"""What a step does: a pass over inputs; a training step; one sampling step, whose result the next one reads; a pass
over a prompt, whose keys and values are kept; such a pass and all sampling steps after it; a pass over given targets,
without learning from them."""
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Size:
    """A preset of hyper-parameters."""

    hyper: Mapping[str, Any]
    """Hyper-parameters by the paper's names."""
    batch_size: Mapping[str, int]
    """Default batch size by kind of device: `cpu`, `cuda`."""

    def at(self, batch: int, **changed: Any) -> Size:
        """Return this size with `changed` hyper-parameters and a batch size, which `build` reads as `size.batch`."""
        return Size({**self.hyper, **changed, "batch": batch}, self.batch_size)

    def __getattr__(self, name: str) -> Any:
        """Return a hyper-parameter: a model reads `size.width`."""
        try:
            return self.__dict__["hyper"][name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Count:
    """Number of parameters."""

    total: int
    """All weights."""
    trainable: int
    """Those that training changes."""
    active: int | None = None
    """Those that one item passes, where a model chooses among its parts; None: all."""


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent: v <- momentum v + g; w <- w - learning_rate v, without Nesterov.

    Keras multiplies the learning rate into v, which is equivalent while the rate is constant.
    """

    learning_rate: float
    """Factor of v in each update."""
    momentum: float = 0.0
    """Share of v that is kept from one step to the next."""
    weight_decay: float = 0.0
    """g <- g + weight_decay w, after clipping: the gradient of an L2 penalty, as in the papers that train with SGD."""
    clip_norm: float | None = None
    """Limit of the norm of all gradients together (Pascanu et al. 2013): above it they are scaled down; None: none."""


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1): epsilon is added to the root of the bias-corrected second moment."""

    learning_rate: float
    """Factor of each update."""
    beta_1: float = 0.9
    """Decay of the first moment."""
    beta_2: float = 0.999
    """Decay of the second moment."""
    epsilon: float = 1e-8
    """Keeps the update finite where gradients vanish."""
    weight_decay: float = 0.0
    """w <- w - learning_rate weight_decay w, before the update: AdamW (Loshchilov and Hutter 2019)."""
    clip_norm: float | None = None
    """As in `Sgd`."""


Optimizer = Sgd | Adam
"""Weight decay leaves out norms and biases: whatever has fewer than two axes."""


def states(optimizer: Optimizer | None) -> int:
    """Return the numbers that an optimizer keeps for each weight."""
    return 2 if isinstance(optimizer, Adam) else int(bool(optimizer and optimizer.momentum))


def refuse_state(optimizer: Optimizer) -> None:
    """Raise ValueError where an optimizer needs all of a weight: sparse gradients have only the rows looked up."""
    if isinstance(optimizer, Adam) or optimizer.momentum or optimizer.weight_decay or optimizer.clip_norm is not None:
        raise ValueError(f"sparse gradients need SGD without momentum, weight decay and clipping, not {optimizer}")


ELEMENT_BYTES: Mapping[str, int] = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2}
"""Bytes of an element by precision: of inputs and outputs and, except in training, of weights."""


@dataclass(frozen=True)
class Workload:
    """A named model and task, the same in every framework."""

    name: str
    """What it is called in case ids, without its variant."""
    title: str
    """A short description, for tables."""
    family: str
    """Kind of workload, a heading in tables: `vision`, `language`, ..."""
    item: str
    """What throughput counts, singular; `items` overrides it for a phase."""
    paper: str
    """Where it is defined: author, year, and a link."""
    phases: tuple[Phase, ...]
    """Phases that it has."""
    sizes: Mapping[str, Size]
    """Usually `tiny` (tests), `small` (a laptop CPU) and `base` (the paper's), from small to large."""
    inputs: Callable[[Size, Phase, int, np.random.Generator], Arrays]
    """(size, phase, batch size, generator) -> named arrays. Not zeros: power depends on the values."""
    flops: Callable[[Size, Phase], float]
    """Floating-point operations of one item; a multiply-add is two. `flops_note` says what is not counted."""
    bytes: Callable[[Size, Phase, int, int], float]
    """(size, phase, batch size, bytes of an element) -> compulsory memory traffic of one item, bytes.

    Each weight and each input is read once a step, each output written once. Weights have the precision's element,
    except in training, where they are float32 in every precision.
    """
    parameters: Callable[[Size], Count] = field(default=lambda _size: Count(0, 0))
    """Number of parameters at a size."""
    unfused_bytes: Callable[[Size, Phase, int, int], float] | None = None
    """As `bytes`, where each operator of a step reads its inputs and writes its outputs once: activations, gradients
    and the optimizer's state too. None: as counted for joulemark's own workloads (`traffic.json`), else unknown."""
    kept_bytes: Callable[[Size, Phase, int, int], float] = field(default=lambda _size, _phase, _batch, _element: 0.0)
    """(size, phase, batch size, bytes of an element) -> bytes that are kept at least beside weights and what belongs to
    them: caches of keys and values; in training, what the backward pass reads."""
    flops_note: str = ""
    """What `flops` leaves out, for tables."""
    items_per_sample: Callable[[Size, Phase], int] = field(default=lambda _size, _phase: 1)
    """Items in one sample of a batch (tokens of a sequence, say)."""
    items: Mapping[Phase, str] = field(default_factory=dict)
    """What throughput counts in a phase, where that is not `item`."""
    batched: bool = True
    """False where a step takes one sample: other batch sizes are skipped."""
    devices: tuple[str, ...] = ("cpu", "cuda")
    """Kinds of device that it runs on."""
    optimizer: Optimizer | None = None
    """Optimizer of a training step; None where there are no parameters."""
    decreasing_output: str | None = None
    """Name of the output that decreases over 20 training steps on a fixed batch; None where there is none."""
    substitutes: Mapping[str, str] = field(default_factory=dict)
    """Where frameworks cannot agree exactly: pattern of tensor names -> what is tested instead."""
    precisions: tuple[str, ...] = ("fp32", "tf32", "bf16", "fp16")
    """Precisions that it runs in; a case in another one is skipped."""
    compiles: bool = True
    """False where a step has nothing to compile: modes of class `compiled` are skipped."""
    variant: str | None = None
    """One of several forms, such as `local` of `seq2seq.local`; None where there is one."""
    package: str = ""
    """Package that holds `spec.py` and a file for each framework; empty for workloads of joulemark itself."""

    @property
    def id(self) -> str:
        """`workload[.variant]`."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    @property
    def module(self) -> str:
        """Package that holds its implementations."""
        return self.package or f"joulemark.workloads.{self.name}"

    def counts(self, phase: Phase) -> str:
        """Return what throughput counts in `phase`, singular."""
        return self.items.get(phase, self.item)

    @property
    def stepped_phases(self) -> tuple[Phase, ...]:
        """Phases whose program is a step: all but `response`, which is a prefill and the generation after it."""
        return tuple(phase for phase in self.phases if phase != "response")

    def least_bytes(self, size: Size, phase: Phase, batch: int, element: int) -> float:
        """Return the memory that a case of this `size`, `phase` and `batch` size needs at least, bytes.

        Weights, at `element` bytes each; in training in float32, with gradients and the optimizer's state; and
        `kept_bytes`. Inputs, and what is gone before the step ends, come on top."""
        count = self.parameters(size)
        weights: float = element * count.total
        if phase == "training":
            weights = 4 * (count.total + count.trainable * (1 + states(self.optimizer)))
        return weights + self.kept_bytes(size, phase, batch, element)

    def refusal(self, device: str, precision: str, batch: int, compiled: bool) -> str | None:
        """Return why it does not run in `precision` with the other settings; None where it does. `device` is a kind of
        device, `batch` the batch size, `compiled` whether the mode's class is `compiled`."""
        if device not in self.devices:
            return f"{self.id} runs on {' and '.join(self.devices)} only, not on {device}"
        if precision not in self.precisions:
            return f"{self.id} runs in {', '.join(self.precisions)}, not in {precision}"
        if batch != 1 and not self.batched:
            return f"{self.id} takes batch size 1, not {batch}"
        if compiled and not self.compiles:
            return f"{self.id} has no computation to compile"
        return None

    @property
    def reference_size(self) -> str:
        """Name of the size that tables show: `base`, or the last where there is none."""
        return "base" if "base" in self.sizes else list(self.sizes)[-1]

    def version(self, framework: str) -> str:
        """Return 12 hex digits that change with its code in `framework`; results of two versions are not compared."""
        return version(self.id, self.module, framework)

    @property
    def spec_version(self) -> str:
        """12 hex digits that change with `spec.py` and what it imports: results of two frameworks share them."""
        return spec_version(self.id, self.module)


@dataclass(frozen=True)
class Program:
    """A workload built in one framework. Its functions take tensors of it by the names of `Workload.inputs`."""

    step: Callable[..., Mapping[str, Any]]
    """One step: named tensors in, named tensors out (`loss`, `logits`, ...). A mode compiles this function."""
    prefill: Callable[..., Mapping[str, Any]] | None = None
    """Phase `response` only: read prompts, named tensors in, and return what a step returns: `logits` (B, words) and
    `next` (B,), the first new token. A step, which then takes no inputs, goes on from there. A mode compiles this
    function too."""
    rewind: Callable[[int], None] | None = None
    """Phase `response` only: set how many steps of decoding, of `new_tokens` - 1, have followed the prompt."""
    weights: Callable[[], dict[str, np.ndarray]] = field(default=dict)
    """Weights and buffers by neutral name (`block1.conv.kernel`), on neutral axes (Keras's)."""
    load_weights: Callable[[Arrays], None] = field(default=lambda _weights: None)
    """Set the weights. KeyError for missing or unknown names, ValueError for a wrong shape."""
    gradients: Callable[..., tuple[Mapping[str, Any], dict[str, np.ndarray]]] | None = None
    """Training only: (outputs, gradient by neutral name) at the current weights, without an update."""
    norms: Callable[..., Mapping[str, float]] | None = None
    """Training only: `gradient_norm` and, where there is a loss, `loss` at the current weights, without an update. A
    norm is not finite where the loss scale of fp16 makes a gradient overflow."""
    initialise: Callable[[], None] = field(default=lambda: None)
    """Set the weights to their initial values."""
    trainable: Callable[[], Sequence[str]] = field(default=tuple)
    """Neutral names of the trainable weights."""
