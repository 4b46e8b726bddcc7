"""PyTorch's fully sharded data parallelism (`fully_shard`, FSDP2): a rank has a share of each weight and its state.

Ranks gather the weights of a block before they compute with it, and reduce its gradients to shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FunctionType

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from joulemark.suite.trial.frameworks.adapter import Step, UnsupportedError
from joulemark.suite.trial.ranks.pytorch_ddp import Replica
from joulemark.suite.trial.ranks.pytorch_processes import RankAdapter, RankKit, connection, launch
from joulemark.workloads.initial import Spread, draw
from joulemark.workloads.kits.pytorch.learner import Learner, Outputs
from joulemark.workloads.kits.pytorch.optimizers import decay_groups
from joulemark.workloads.kits.pytorch.weights import Entry, entries, preserved, train
from joulemark.workloads.spec import Adam, Arrays, Optimizer, Program

__all__ = ["Adapter", "connection", "launch"]


class ShardedLearner(Learner):
    """One training whose parameters are shares of the weights."""

    def differentiate(self, inputs: Mapping[str, torch.Tensor]) -> Outputs:
        """Return the outputs; the rank's share of the mean gradient is left in the parameters.

        Autograd sees the gathered weights, not these parameters: it cannot be asked for theirs alone.
        """
        with self.kit.autocast():
            outputs = self.forward(**inputs)
        (self.scaler.scale(outputs["loss"]) if self.scaler else outputs["loss"]).backward()
        return {name: output.detach() for name, output in outputs.items()}


class Kit(RankKit):
    """The kit whose trainings divide weights, gradients and the optimizer's state among the ranks."""

    root: FSDPModule
    learner: ShardedLearner

    def alternating_training(
        self, model: nn.Module, players: Sequence[tuple[nn.Module, Callable[..., Outputs]]], optimizer: Optimizer
    ) -> Program:
        """Return the kit's training, of weights divided block by block. Raises UnsupportedError."""
        if len(players) > 1:
            raise UnsupportedError("fully_shard divides the weights of one training, and this step has several")
        if any(isinstance(module, nn.Embedding) and module.sparse for module in model.modules()):
            raise UnsupportedError("fully_shard has no sparse gradients, which this model's embeddings have")
        if any(parameter.ndim == 0 for parameter in model.parameters()):
            raise UnsupportedError("fully_shard divides weights by their first axis, and this model has a scalar")
        train(model)
        ((part, forward),) = players
        replica = Replica(part, forward)
        self._shard(replica)
        self.root, self.learner = replica, ShardedLearner(self, part, replica, optimizer)
        learn = self.learner.learn
        program: Program = self._program(
            model, lambda **inputs: learn(inputs), norms=lambda **inputs: self._norms(model, inputs)
        )
        return replace(
            program,
            weights=lambda: {entry.name: entry.neutral(entry.tensor).copy() for entry in gathered(model)},
            load_weights=lambda arrays: load(model, arrays),
        )

    def optimizer(
        self, parameters: list[nn.Parameter], definition: Optimizer, sparse: bool = False
    ) -> torch.optim.Optimizer:
        """Return the kit's optimizer; SGD by `foreach`, since PyTorch 2.13 has no fused one of shares."""
        if isinstance(definition, Adam):
            return super().optimizer(parameters, definition, sparse)
        groups = decay_groups(parameters, definition.weight_decay)
        rate = self.learning_rate_factor * definition.learning_rate
        return torch.optim.SGD(groups, lr=rate, momentum=definition.momentum, foreach=True)

    def _shard(self, replica: Replica) -> None:
        """Divide the weights: those of each block together, and all others."""
        mesh = init_device_mesh(self.device.type, (distributed.get_world_size(),))
        for parameter in replica.parameters():
            parameter.data = parameter.data.contiguous()  # fully_shard takes no weights in the images' memory format
        for block in blocks(replica):
            fully_shard(block, mesh=mesh)
        fully_shard(replica, mesh=mesh)

    def _draw(self, model: nn.Module, spread: Spread) -> None:
        load(model, {entry.name: draw(entry.name, entry.shape, spread, self.seed) for entry in entries(model)})

    def _norms(self, model: nn.Module, inputs: Mapping[str, torch.Tensor]) -> Mapping[str, float]:
        with preserved(model):
            outputs = self.learner.differentiate(inputs)
            gradients = [p.grad.full_tensor() for p in self.learner.parameters if isinstance(p.grad, DTensor)]
            norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
        return {"loss": float(outputs["loss"]), "gradient_norm": norm / self.learner.scale()}


def blocks(model: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules with parameters that lie in a `ModuleList`: the blocks that a model repeats.

    Weights are gathered when `forward` of a block is called: one that others call into by another method is left out.
    """
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            for block in module:
                has_parameters = next(block.parameters(), None) is not None
                if has_parameters and not isinstance(block, nn.ModuleList) and not any(map(is_open, block.modules())):
                    yield block


def is_open(module: nn.Module) -> bool:
    """Return whether a module has a public method, not of PyTorch's own, that its `forward` does not call."""
    methods = {
        name: method
        for kind in type(module).__mro__
        if not kind.__module__.startswith("torch.")
        for name, method in vars(kind).items()
        if isinstance(method, FunctionType) and not name.startswith("_")
    }
    forward = methods.pop("forward", None)
    return bool(methods.keys() - set(forward.__code__.co_names if forward else ()))


def gathered(model: nn.Module) -> Iterator[Entry]:
    """Yield the weights of a model, whole. All ranks call it together."""
    for entry in entries(model):
        whole = entry.tensor.full_tensor() if isinstance(entry.tensor, DTensor) else entry.tensor
        yield replace(entry, tensor=whole)


def load(model: nn.Module, arrays: Arrays) -> None:
    """Set all weights, of which each rank keeps its share."""
    for entry in entries(model):
        tensor = entry.tensor
        if isinstance(tensor, DTensor):
            whole = torch.empty(tensor.shape, dtype=tensor.dtype, device=tensor.device)
            replace(entry, tensor=whole).assign(arrays[entry.name])
            with torch.no_grad():
                tensor.copy_(distribute_tensor(whole, tensor.device_mesh, tensor.placements, src_data_rank=None))
        else:
            entry.assign(arrays[entry.name])


class Adapter(RankAdapter):
    """Drives PyTorch with fully sharded data parallelism."""

    _kit: Kit

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for this device and precision."""
        self._kit = Kit(self.execution.device, self.execution.precision, seed, training, learning_rate_factor)
        return self._kit

    def alone(self, step: Step) -> Step:  # noqa: ARG002  the optimizer's part of it needs gradients from all ranks
        """Return forward and backward with gathered weights, which stay, and gradients that stay in the rank."""
        root, learner = self._kit.root, self._kit.learner
        root.set_requires_gradient_sync(False)
        root.set_reshard_after_forward(False)
        root.set_reshard_after_backward(False)
        return lambda **inputs: learner.differentiate(inputs)
