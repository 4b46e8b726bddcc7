"""One training: a part of a model, its forward function, its optimizer and its loss scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from joulemark.workloads.kits.pytorch.optimizers import clip_gradients
from joulemark.workloads.spec import Optimizer

if TYPE_CHECKING:
    from joulemark.workloads.kits.pytorch import Kit

Outputs = Mapping[str, torch.Tensor]


class Learner:
    """One training: a part of a model, its forward function and its optimizer."""

    def __init__(self, kit: Kit, part: nn.Module, forward: Callable[..., Outputs], definition: Optimizer) -> None:
        self.kit, self.forward = kit, forward
        self.parameters = [p for p in part.parameters() if p.requires_grad]
        sparse = any(isinstance(module, nn.Embedding) and module.sparse for module in part.modules())
        self.definition = definition
        self.optimizer = kit.optimizer(self.parameters, definition, sparse)
        # Dynamo traces none of its methods: a disabled one would break a compiled step into pieces.
        self.scaler = torch.amp.GradScaler(kit.device.type) if kit.precision == "fp16" else None

    def scale(self) -> float:
        """Return the loss scale that gradients are multiplied by."""
        return self.scaler.get_scale() if self.scaler else 1.0

    def differentiate(self, inputs: Mapping[str, torch.Tensor]) -> Outputs:
        """Return the outputs; gradients are left in the part's own parameters."""
        with self.kit.autocast():
            outputs = self.forward(**inputs)
        loss = self.scaler.scale(outputs["loss"]) if self.scaler else outputs["loss"]
        loss.backward(inputs=self.parameters)
        return {name: output.detach() for name, output in outputs.items()}

    def learn(self, inputs: Mapping[str, torch.Tensor]) -> Outputs:
        """Return the outputs of one training step: gradients and the optimizer's update."""
        for parameter in self.parameters:
            parameter.grad = None  # as `zero_grad`, which Dynamo does not trace
        outputs = self.differentiate(inputs)
        if self.scaler and self.definition.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)  # the limit is of the gradients themselves
        clip_gradients(self.parameters, self.definition)
        if self.scaler:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self.optimizer.step()
        return outputs


def merge_outputs(outputs: Sequence[Outputs]) -> Outputs:
    """Return all outputs as one mapping; the losses are added up."""
    merged = {name: tensor for each in outputs for name, tensor in each.items()}
    return {**merged, "loss": sum(each["loss"] for each in outputs)}


def squared_norm(parameters: Sequence[nn.Parameter], scale: float = 1.0) -> float:
    """Return the sum of squares of all gradients, divided by a loss scale; it is added up on the device."""
    gradients = [p.grad.coalesce().values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
    return (float(nn.utils.get_total_norm(gradients)) / scale) ** 2
