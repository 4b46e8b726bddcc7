"""Inputs are what the workloads say of them; golden values have inputs of their own."""

from __future__ import annotations

import numpy as np
import pytest

from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Arrays


def drawn(workload: str, phase: str = "training", batch: int = 64) -> Arrays:
    """Return the inputs of size `tiny`."""
    spec = workloads()[workload]
    return spec.inputs(spec.sizes["tiny"], phase, batch, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("workload", "read"),
    [("gpt2", "tokens"), ("transformer", "target"), ("seq2seq.global", "target"), ("seq2seq.local", "target")],
)
def test_labels_are_the_tokens_one_later(workload: str, read: str) -> None:
    arrays = drawn(workload)
    assert np.array_equal(arrays["labels"][:, :-1], arrays[read][:, 1:])
    assert not np.array_equal(arrays["labels"], arrays[read])


@pytest.mark.parametrize("workload", ["autoencoder.inpainting"])
def test_the_hole_is_a_square_of_zeros(workload: str) -> None:
    holes = drawn(workload)["mask"].reshape(-1, 28, 28) == 0
    assert np.array_equal(holes, holes.any(1, keepdims=True) & holes.any(2, keepdims=True))
    assert np.all(holes.any(1).sum(1) == 14)
    assert np.all(holes.any(2).sum(1) == 14)


def test_the_second_view_of_simclr_is_the_first_mirrored_with_noise() -> None:
    first, second = np.split(drawn("simclr")["views"], 2)
    noise = second - first[:, :, ::-1]
    # 64 images of 64 x 64 x 3 numbers: the standard error of a deviation is 0.1 %
    assert noise.std() == pytest.approx(0.3, rel=0.005)


def test_negatives_of_word2vec_follow_the_three_quarters_power_of_zipfs_law() -> None:
    arrays = drawn("word2vec", batch=20000)
    ranks = np.arange(1, 21)
    for name, power in (("negatives", 0.75), ("contexts", 1.0), ("centres", 1.0)):
        chance = ranks**-power / (ranks**-power).sum()
        share = np.bincount(arrays[name].ravel(), minlength=20) / arrays[name].size
        assert np.all(abs(share - chance) < 5 * np.sqrt(chance * (1 - chance) / arrays[name].size)), name


def test_no_point_of_umap_is_its_own_neighbour_or_negative() -> None:
    arrays = drawn("umap", batch=1)
    assert np.all(arrays["tails"] != arrays["heads"])
    assert np.all(arrays["negatives"] != arrays["heads"][:, None])


def test_masked_places_of_bert_are_different_ones() -> None:
    arrays = drawn("bert")
    assert np.all(np.diff(arrays["places"]) > 0)
    assert np.all(arrays["segments"] == np.repeat([0, 1], 4))


def test_the_two_noises_of_dcgan_are_apart() -> None:
    arrays = drawn("dcgan")
    assert not np.any(arrays["noise"] == arrays["noise_made"])
    assert abs(arrays["images"]).max() <= 1
