"""The input pipelines: batches against numpy and Pillow, round and round; files and images equal in all frameworks."""

from __future__ import annotations

import importlib
import io

import numpy as np
import pytest
from framework_process import SEED, Processes, having, make_kit
from PIL import Image

from joulemark.workloads.input_pipeline import spec
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Size

FRAMEWORKS = having(workloads()["input_pipeline"])
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
"""Of ImageNet's red, green and blue, as published with torchvision's models."""
ROUNDING = 1e-6
"""Of float32: p s + o, with p s up to 4.5 and o up to 2.2, errs by 2^-24 of each in s, p s and o, and in the sum."""


def batches(framework: str, workload: str, batch: int, count: int) -> list[np.ndarray]:
    """The input pipeline's first batches. Runs in the framework's process."""
    kit = make_kit(framework, "fp32")
    module = importlib.import_module(f"joulemark.workloads.input_pipeline.{framework}")
    program = module.build(workloads()[workload].sizes["tiny"].at(batch), "inference", kit)
    return [kit.array(program.step()["images"]) for _ in range(count)]


def through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Return an image (H, W, 3) written as a JPEG file and read from it, by Pillow."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.array(Image.open(file))


def augmented(data: spec.Dataset, index: int, crop: int, quality: int | None) -> np.ndarray:
    """Return one image (crop, crop, 3) of a data set, cropped, flipped and normalised in float64."""
    image = data.images[index] if quality is None else through_jpeg(data.images[index], quality)
    (top, left), columns = data.corners[index], np.arange(crop)
    mirrored = columns[::-1] if data.flips[index] else columns
    cropped = image[top : top + crop][:, left + mirrored]
    return (cropped / 255 - MEAN) / DEVIATION


@pytest.mark.parametrize("workload", ["input_pipeline", "input_pipeline.jpeg"])
def test_images_are_decoded_cropped_flipped_and_normalised(processes: Processes, workload: str) -> None:
    size = workloads()[workload].sizes["tiny"]
    data = spec.dataset(size, SEED)
    assert 0 < data.flips.sum() < len(data.flips)
    assert (data.corners.min(0) < data.corners.max(0)).all()
    expected = [augmented(data, index, size.crop, size.hyper.get("quality")) for index in range(size.images)]
    level = 1 / (255 * DEVIATION.min()) if "quality" in size.hyper else 0.0  # what decoders may differ by, see below
    for framework in FRAMEWORKS:
        (actual,) = processes.call(framework, batches, framework, workload, size.images, 1).result()
        assert np.abs(actual - np.stack(expected)).max() <= level + ROUNDING


@pytest.mark.parametrize("workload", ["input_pipeline", "input_pipeline.jpeg"])
@pytest.mark.parametrize("batch", [5, 40])  # of 16 images: no divisor, and more than all
def test_it_goes_round(processes: Processes, workload: str, batch: int) -> None:
    ours, *others = (np.concatenate(processes.call(f, batches, f, workload, batch, 4).result()) for f in FRAMEWORKS)
    assert len(ours) == 4 * batch
    for theirs in others:
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=ROUNDING)
    np.testing.assert_array_equal(ours[16:], ours[:-16])


def jpegs(framework: str) -> tuple[list[bytes], list[np.ndarray]]:
    """Files of the first images of size `small`, and what the framework decodes from them. Runs in its process."""
    size = workloads()["input_pipeline.jpeg"].sizes["small"]
    images = spec.dataset(Size({**size.hyper, "images": 4}, size.batch_size), SEED).images
    module = importlib.import_module(f"joulemark.workloads.input_pipeline.{framework}")
    files = [module.encode(image, size.quality) for image in images]
    return files, [np.asarray(module.decode(file)) for file in files]


def test_all_read_the_same_jpegs_into_the_same_images(processes: Processes) -> None:
    """From the start of the scan on, the files are equal: what precedes it are tables and comments. All decode by
    libjpeg-turbo in exact integers: a build of another kind may differ by a level, as roundings may go either way."""
    (ours, our_images), *others = (processes.call(f, jpegs, f).result() for f in FRAMEWORKS)
    for theirs, their_images in others:
        for a, b in zip(ours, theirs, strict=True):
            assert a[a.index(b"\xff\xda") :] == b[b.index(b"\xff\xda") :]
        for image, other in zip(our_images, their_images, strict=True):
            assert np.abs(image.astype(int) - other).max() <= 1
    pixels = our_images[0].shape[0] * our_images[0].shape[1]
    assert np.mean([len(file) for file in ours]) == pytest.approx(spec.FILE_BYTES * pixels, rel=0.05)


def test_scenes_have_the_spectrum_of_photographs() -> None:
    """The amplitude falls as 1 / f: the power of each octave of both axes is the same."""
    images = spec.scenes((8, 256, 256, 3), np.random.default_rng(SEED)).astype(float).mean(3)
    power = np.abs(np.fft.fft2(images)).mean(0) ** 2
    frequency = np.hypot(*np.meshgrid(*[256 * np.fft.fftfreq(256)] * 2))
    octaves = [power[(frequency >= low) & (frequency < 2 * low)].sum() for low in (4, 8, 16, 32)]
    assert max(octaves) < 1.3 * min(octaves)
