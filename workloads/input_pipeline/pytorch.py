"""Input pipeline of an image classifier in PyTorch: a Dataset and a DataLoader with worker processes."""

from __future__ import annotations

import io
from itertools import cycle
from typing import Any

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
        return len(self.data.flips)

    def __getitem__(self, index: int) -> torch.Tensor:
        """(crop, crop, 3) float32."""
        return torch.from_numpy(self.augmented(index)) * self.scale + self.offset

    def augmented(self, index: int) -> np.ndarray:
        """(crop, crop, 3) uint8, cropped and flipped."""
        top, left = self.data.corners[index]
        image = self.data.images[index, top : top + self.crop, left : left + self.crop]
        return np.ascontiguousarray(image[:, ::-1] if self.data.flips[index] else image)


class Jpegs(Images):
    """The same of JPEG files in memory, decoded by Pillow."""

    def __init__(self, size: Size, seed: int) -> None:
        super().__init__(size, seed)
        self.files = [encode(image, size.quality) for image in self.data.images]

    def augmented(self, index: int) -> np.ndarray:
        """(crop, crop, 3) uint8, decoded, cropped and flipped."""
        top, left = map(int, self.data.corners[index])
        image = np.asarray(decode(self.files[index]).crop((left, top, left + self.crop, top + self.crop)))
        return np.array(image[:, ::-1] if self.data.flips[index] else image)


def encode(image: np.ndarray, quality: int) -> bytes:
    """Return the JPEG file of an image (H, W, 3) uint8, with half the resolution of colour."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def decode(file: bytes) -> Any:
    """Return Pillow's image of a file, as torchvision's data sets read it."""
    from PIL import Image

    return Image.open(io.BytesIO(file)).convert("RGB")


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """no inputs -> the data set's next images (B, crop, crop, 3)."""
    images = (Jpegs if spec.decodes(size) else Images)(size, kit.seed)
    workers = torch.get_num_threads() if spec.decodes(size) else size.workers
    # Round and round: a batch may begin in one epoch and end in another, whatever its size.
    batches = iter(DataLoader(images, size.batch, sampler=cycle(range(len(images))), num_workers=workers))
    return Program(step=lambda: {"images": next(batches)})
