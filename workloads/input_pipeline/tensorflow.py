"""Input pipeline of an image classifier in TensorFlow: tf.data with parallel calls."""

from __future__ import annotations

import tensorflow as tf

from joulemark.workloads.input_pipeline import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def encode(image: tf.Tensor, quality: int) -> bytes:
    """Return the JPEG file of an image (H, W, 3) uint8, with half the resolution of colour."""
    file: bytes = tf.io.encode_jpeg(image, quality=quality, chroma_downsampling=True).numpy()
    return file


def decode(file: tf.Tensor) -> tf.Tensor:
    """Return the image (H, W, 3) uint8 of a file. By default tf.io takes a DCT that is less exact than Pillow's."""
    return tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE")


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """no inputs -> the data set's next images (B, crop, crop, 3)."""
    data = spec.dataset(size, kit.seed)
    scale = tf.constant([1 / (255 * d) for d in spec.DEVIATION])
    offset = tf.constant([-m / d for m, d in zip(spec.MEAN, spec.DEVIATION, strict=True)])

    def prepare(image: tf.Tensor, corner: tf.Tensor, flip: tf.Tensor) -> tf.Tensor:
        """(edge, edge, 3) uint8, or its file -> (crop, crop, 3) float32."""
        image = decode(image) if spec.decodes(size) else image
        image = tf.image.crop_to_bounding_box(image, corner[0], corner[1], size.crop, size.crop)
        image = tf.cond(flip, lambda: tf.reverse(image, [1]), lambda: image)
        return tf.cast(image, tf.float32) * scale + offset

    with tf.device("/CPU:0"):
        workers = size.hyper.get("workers") or tf.config.threading.get_intra_op_parallelism_threads() or 1
        images = [encode(image, size.quality) for image in data.images] if spec.decodes(size) else data.images
        batches = iter(
            tf.data.Dataset.from_tensor_slices((images, data.corners, data.flips))
            .repeat()
            .map(prepare, num_parallel_calls=workers)
            .batch(size.batch, drop_remainder=True)
            .prefetch(2 * workers)  # the DataLoader's default depth: two batches a worker
        )

    def step() -> dict[str, tf.Tensor]:
        with tf.device("/CPU:0"):
            return {"images": next(batches)}

    return Program(step=step)
