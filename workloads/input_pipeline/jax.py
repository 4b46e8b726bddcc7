"""Input pipeline of an image classifier for JAX: a Grain data set, read by threads."""

from __future__ import annotations

import io
import os
from typing import Any

import grain
import jax
import numpy as np

from joulemark.workloads.input_pipeline import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def encode(image: np.ndarray, quality: int) -> bytes:
    """Return the JPEG file of an image (H, W, 3) uint8, with half the resolution of colour."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def decode(file: bytes) -> Any:
    """Return Pillow's image of a file."""
    from PIL import Image

    return Image.open(io.BytesIO(file)).convert("RGB")


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """no inputs -> the data set's next images (B, crop, crop, 3)."""
    data, crop = spec.dataset(size, kit.seed), size.crop
    files = [encode(image, size.quality) for image in data.images] if spec.decodes(size) else []
    scale = np.array([1 / (255 * d) for d in spec.DEVIATION], np.float32)
    offset = np.array([-m / d for m, d in zip(spec.MEAN, spec.DEVIATION, strict=True)], np.float32)

    def prepare(index: int) -> np.ndarray:
        """(crop, crop, 3) float32."""
        top, left = map(int, data.corners[index])
        if files:
            image = np.asarray(decode(files[index]).crop((left, top, left + crop, top + crop)))
        else:
            image = data.images[index, top : top + crop, left : left + crop]
        return (image[:, ::-1] if data.flips[index] else image) * scale + offset

    # NPROC: as many as XLA has. Pillow and numpy release Python's lock while they work.
    workers = size.hyper.get("workers") or int(os.environ.get("NPROC", len(os.sched_getaffinity(0))))
    read = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=2 * workers)  # batches
    batches = iter(
        grain.MapDataset.range(size.images)
        .repeat()
        .map(prepare)
        .batch(size.batch, drop_remainder=True)
        .to_iter_dataset(read)
    )
    return Program(step=lambda: {"images": jax.device_put(next(batches), kit.device)})
