"""Transfer learning with MobileNetV2 to ten classes, such as CIFAR-10's, whose images are enlarged to those that the
network was trained on (Kornblith et al. 2019, https://arxiv.org/abs/1805.08974): a head on features extracted once;
early layers frozen; everything fine-tuned with a small learning rate."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.mobilenetv2 import spec as mobilenetv2
from joulemark.workloads.spec import Arrays, Count, Optimizer, Phase, Sgd, Size, Workload

CLASSES = 10
PAPER = (
    "Yosinski et al. 2014, https://arxiv.org/abs/1411.1792, on Sandler et al. 2018, https://arxiv.org/abs/1801.04381"
)
OPTIMIZERS: dict[str, Optimizer] = {
    "features": Sgd(learning_rate=0.1, momentum=0.9),
    "frozen": Sgd(learning_rate=0.01, momentum=0.9, weight_decay=4e-5),
    "finetune": Sgd(learning_rate=0.001, momentum=0.9, weight_decay=4e-5),
}
INITIAL = mobilenetv2.INITIAL


def feature_inputs(size: Size, _phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return features (B, features), not negative as the encoder's are; labels (B,)."""
    return {
        "features": np.abs(generator.standard_normal((batch, size.features), np.float32)),
        "labels": generator.integers(0, CLASSES, batch),
    }


def head(size: Size) -> Dense:
    """Return the new classifier."""
    return Dense(size.features, CLASSES)


def split(size: Size) -> tuple[list[Conv], list[Conv]]:
    """Return the frozen convolutions and the trained ones."""
    if not size.frozen:
        return [], mobilenetv2.convolutions(size)
    frozen = [conv for block in mobilenetv2.blocks(size)[: size.frozen] for conv in block.convolutions]
    count = 1 + len(frozen)  # the stem
    everything = mobilenetv2.convolutions(size)
    return everything[:count], everything[count:]


def parameters(size: Size) -> Count:
    """Count the network's, of which the frozen part's kernels and norms do not learn.

    The head's alone for `features`.
    """
    if size.frozen is None:
        return all_trained(head(size).parameters)
    frozen, learning = (sum(c.parameters + 2 * c.width for c in part) for part in split(size))
    trainable = learning + head(size).parameters
    return Count(total=frozen + trainable, trainable=trainable)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: forward through all, backward through what learns."""
    if size.frozen is None:
        return phase_flops([head(size)], phase)
    frozen, learning = split(size)
    return sum(conv.flops for conv in frozen) + phase_flops([*learning, head(size)], phase)


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: image or features and label (8 bytes) in, weights."""
    data = size.features if size.frozen is None else size.edge**2 * 3
    return element * data + 8.0 + weight_bytes(parameters(size), phase, batch, OPTIMIZERS[size.method], element)


def _workload(method: str, title: str, small: int | None, full: int | None) -> Workload:
    tiny = mobilenetv2.WORKLOADS[0].sizes["tiny"].hyper
    common = {"method": method, "classes": CLASSES}
    learns_encoder = full is not None
    # Features are small, whatever the images.
    base_batch = {"cpu": 16, "cuda": 256} if learns_encoder else {"cpu": 64, "cuda": 512}
    return Workload(
        name="transfer",
        variant=method,
        title=title,
        family="transfer",
        item="image",
        paper=PAPER,
        phases=("training",),
        sizes={
            "tiny": Size({**tiny, **common, "frozen": small}, {"cpu": 4, "cuda": 4}),
            "small": Size({**mobilenetv2.FULL, **common, "edge": 96, "frozen": full}, {"cpu": 16, "cuda": 64}),
            "base": Size({**mobilenetv2.FULL, **common, "edge": 224, "frozen": full}, base_batch),
        },
        inputs=mobilenetv2.inputs if learns_encoder else feature_inputs,
        flops=flops,
        flops_note="convolutions and classifier; not norms, ReLU, pooling, loss, optimizer, nor the first learning"
        " layer's input gradient" + ("" if learns_encoder else "; the extraction is mobilenetv2's inference"),
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZERS[method],
        decreasing_output="loss",
        substitutes=mobilenetv2.SUBSTITUTES if learns_encoder else {},
    )


WORKLOADS = (
    _workload("features", "head on features extracted once", None, None),
    _workload("frozen", "early layers frozen", 1, 13),
    _workload("finetune", "all layers, small learning rate", 0, 0),
)
