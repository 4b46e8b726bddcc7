"""Efficiency, exposed communication and energy of several ranks, on rates that are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from run_files import case, energy, run_file, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Gpu, RankWindow, Trial
from joulemark.suite.results.ranks.efficiency import mean_difference, with_efficiency
from joulemark.suite.results.ranks.slowest import SLOWER, slowest_rank

ROUNDS = 3


def trials(rates: Sequence[float], own_s: Sequence[float] = (), readings: Sequence[object] = ()) -> list[Trial]:
    """Return a trial of each rate, with ranks that take `own_s` for a step of their own."""
    return [
        trial(round_, rate, start_s=10.0 * round_).model_copy(
            update={
                "ranks": tuple(
                    RankWindow(rank=i, device="cpu", window_s=(10.0, 12.0), steps=10, items=20, own_s=own)
                    for i, own in enumerate(own_s)
                ),
                **({"energy": tuple(readings)} if readings else {}),
            }
        )
        for round_, rate in enumerate(rates, 1)
    ]


def on_ranks(rates: Sequence[float], ranks: int | None, strategy: str | None = "ddp", **fields: object) -> Case:
    """Return a case of `ranks`, or one that is not distributed."""
    named = {} if ranks is None else {"ranks": ranks, "strategy": strategy, "scaling": "weak"}
    suffix = "" if ranks is None else f"+ranks={ranks}+{strategy or 'apart'}"
    made = trials(rates, **{key: fields.pop(key) for key in ("own_s", "readings") if key in fields})
    plain = case(trials=made, **named, **fields)
    return plain.model_copy(update={"id": plain.id + suffix})


def results(*cases: Case, gpus: Sequence[Gpu] = ()) -> Case:
    """Return the last of `cases` with its results."""
    file = run_file(list(cases))
    return with_efficiency(file.cases, gpus)[-1]


SINGLE, ONE, APART = (100.0, 110.0, 90.0), (98.0, 108.0, 88.0), (160.0, 176.0, 144.0)
TWO = (150.0, 165.0, 135.0)


def test_efficiency_is_the_rate_of_n_over_n_times_that_of_each_baseline_in_the_same_rounds():
    """Rounds differ by a tenth, and the ratios do not: the interval is of ratios."""
    two = results(on_ranks(SINGLE, None), on_ranks(ONE, 1), on_ranks(APART, 2, None), on_ranks(TWO, 2)).efficiency
    assert two.value == pytest.approx(150 / 200)
    assert two.low == pytest.approx(0.75)
    assert two.high == pytest.approx(0.75)
    assert two.n == ROUNDS
    assert two.of_one_rank.value == pytest.approx(
        math.prod(a / (2 * b) for a, b in zip(TWO, ONE, strict=True)) ** (1 / 3)
    )
    assert two.of_ranks_apart.value == pytest.approx(150 / 160)


def test_one_rank_exposes_no_communication_whatever_its_strategy_costs():
    one = results(on_ranks(SINGLE, None), on_ranks(ONE, 1)).efficiency
    assert one.value == pytest.approx(98 / 100, rel=0.01)
    for difference in (one.exposed_communication_s, one.exposed_share):
        assert (difference.value, difference.reason) == (None, "one rank has nobody to communicate with")


def test_exposed_communication_is_the_time_of_a_step_beyond_that_of_ranks_apart():
    """Two ranks of 2 items a step: 4 / 150 s against 4 / 160 s, in the first round."""
    own = (0.1, 0.1)
    two = results(on_ranks(SINGLE, None), on_ranks(APART, 2, None, own_s=own), on_ranks(TWO, 2, own_s=own)).efficiency
    expected = [4 / a - 4 / b for a, b in zip(TWO, APART, strict=True)]
    assert two.exposed_communication_s.value == pytest.approx(sum(expected) / 3)
    assert two.exposed_communication_s.low < two.exposed_communication_s.value < two.exposed_communication_s.high
    assert two.exposed_share.value == pytest.approx(1 - 150 / 160)


def test_a_baseline_that_is_missing_gives_its_reason_and_no_number():
    two = results(on_ranks(TWO, 2)).efficiency
    assert two.value is None
    assert two.reason == "the run has no case that is not distributed"
    assert two.exposed_communication_s.value is None
    assert "ranks apart" in two.exposed_communication_s.reason


def test_one_trial_has_no_interval():
    assert mean_difference([0.5], "s").low is None
    assert mean_difference([-0.5, -0.25], "s").value == pytest.approx(-0.375)


def test_energy_is_that_of_the_node_and_of_all_boards_in_use_with_idle_ones_beside():
    """Two boards of 200 W and an idle one of 50 W for 2 s, and a processor of 100 W."""

    def board(name: str, power_w: float, used: bool):
        return energy(power_w * 2, "gpu").model_copy(update={"scope": name, "attributed": used, "sensor": "nvml"})

    host, boards = energy(200.0), (board("a", 200, True), board("b", 200, True), board("c", 50, False))
    alone = on_ranks(SINGLE, None, device="cuda:0", readings=(host, board("a", 200, True)))
    case_of_two = on_ranks(TWO, 2, device="cuda:0", readings=(host, *boards))
    gpus = [
        Gpu(index=i, vendor="nvidia", pci_bus_id=uuid, uuid=uuid, name="GPU", device=f"cuda:{i}")
        for i, uuid in enumerate("abc")
    ]
    two = results(alone, case_of_two, gpus=gpus)
    assert [(each.device, each.power_w.value) for each in two.distributed.boards] == [
        ("cuda:0", pytest.approx(200)),
        ("cuda:1", pytest.approx(200)),
    ]
    assert two.efficiency.energy_ratio.value == pytest.approx((1000 / 150) / (600 / 100))
    per_item = two.distributed.node_energy_per_item_j.value / two.summary.energy_per_item_j.value
    assert per_item == pytest.approx(1100 / 1000)


def test_the_rank_that_is_slow_in_every_trial_is_named():
    slow = results(on_ranks(TWO, 2, own_s=(0.1, 0.15)))
    assert slow.distributed.slowest_rank == 1
    (notice,) = (notice for notice in slow.notices if notice.code == Code.RANK_SLOWER)
    assert "rank 1 takes 1.50 times as long" in notice.message


def test_a_rank_that_is_slow_in_one_trial_only_is_not_named():
    assert slowest_rank(on_ranks(TWO, 2, own_s=(0.1, 0.1 * SLOWER * 0.99))) is None
    mixed = on_ranks(TWO, 2, own_s=(0.1, 0.15))
    steady = trials(TWO, own_s=(0.1, 0.1))
    assert slowest_rank(mixed.model_copy(update={"trials": (*mixed.trials[:2], steady[2])})) is None


def test_ranks_that_do_not_communicate_make_nobody_wait():
    own_s = (0.1, 0.3)
    assert slowest_rank(on_ranks(TWO, 2, "ddp", own_s=own_s)).rank == 1
    assert slowest_rank(on_ranks(TWO, 2, None, own_s=own_s)) is None
