"""Input pipeline of an image classifier in PyTorch: a Dataset and a DataLoader with worker processes."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from joulemark.workloads.input_pipeline import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Images(Dataset):  # type: ignore[type-arg]
    """One image, cropped, flipped and normalised, by index."""

    def __init__(self, size: Size, seed: int) -> None:
        self.data, self.crop = spec.dataset(size, seed), size.crop
        self.scale = torch.tensor([1 / (255 * d) for d in spec.DEVIATION])
        self.offset = torch.tensor([-m / d for m, d in zip(spec.MEAN, spec.DEVIATION, strict=True)])

    def __len__(self) -> int:
        return len(self.data.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        """(crop, crop, 3) float32."""
        top, left = self.data.corners[index]
        image = self.data.images[index, top : top + self.crop, left : left + self.crop]
        if self.data.flips[index]:
            image = image[:, ::-1]
        return torch.from_numpy(np.ascontiguousarray(image)) * self.scale + self.offset


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """no inputs -> the data set's next images (B, crop, crop, 3)."""
    images = Images(size, kit.seed)
    # Round and round: a batch may begin in one epoch and end in another, whatever its size.
    batches = iter(DataLoader(images, size.batch, sampler=cycle(range(len(images))), num_workers=size.workers))
    return Program(step=lambda: {"images": next(batches)})
