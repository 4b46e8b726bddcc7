"""The SCI score: the sum of operational and embodied emissions, with both parts shown."""

from __future__ import annotations

import pytest
from run_files import CH, case, energy, run_file, trial

from joulemark.suite.carbon.inputs import parse_embodied
from joulemark.suite.records import Case, Emissions, Pue
from joulemark.suite.results.sci import sci
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import table

WITHOUT_EMBODIED = Emissions(intensity=CH, pue=Pue(value=1.0, source="one's own machine"))
WITH_EMBODIED = WITHOUT_EMBODIED.model_copy(update={"embodied": parse_embodied("assumed", 4.0)})


def summarised(case: Case, emissions: Emissions = WITH_EMBODIED) -> Case:
    return recompute(run_file([case]), emissions).cases[0]


def test_by_hand_on_a_cpu() -> None:
    # 1,000 items at 100/s take 10 s of 35,040 h of 1,000 kg.
    score = sci(summarised(case(trials=[trial()])), WITH_EMBODIED)
    assert score is not None
    assert score.embodied.value == pytest.approx(1_000_000 * 10 / 3600 / 35_040)
    assert score.operational.value == pytest.approx(500 / 3.6e6 * 39.22)
    assert score.score.value == pytest.approx(score.operational.value + score.embodied.value)
    assert (score.operational.kind, score.embodied.kind, score.score.kind) == ("counter", "model", "model")


@pytest.mark.parametrize(("device", "gpus"), [("cuda:0", 1), ("cuda:0+cuda:1+cuda:3", 3), ("cuda", 1)])
def test_a_case_is_charged_with_the_gpus_it_uses(device: str, gpus: int) -> None:
    on_cpu = sci(summarised(case(trials=[trial()])), WITH_EMBODIED)
    on_gpu = sci(summarised(case(device=device, trials=[trial()])), WITH_EMBODIED)
    assert on_cpu is not None
    assert on_gpu is not None
    # A GPU is 150 kg beside the 1,000 kg of the server.
    assert on_gpu.embodied.value == pytest.approx(on_cpu.embodied.value * (1 + 0.15 * gpus))


def test_the_range_of_the_assumptions() -> None:
    score = sci(summarised(case(trials=[trial()])), WITH_EMBODIED)
    assert score is not None
    # Half the mass over 6 of 4 years; twice the mass over 3 of 4 years.
    assert score.assumed == pytest.approx((0.5 * 4 / 6, 2.0 * 4 / 3))
    assert score.possible is not None
    assert score.possible[0] < score.score.value < score.possible[1]
    assert score.possible[1] == pytest.approx(score.operational.value * 1.02 + score.embodied.value * 8 / 3)


def test_the_interval_between_trials_is_that_of_the_rate() -> None:
    score = sci(summarised(case()), WITH_EMBODIED)
    assert score is not None
    for quantity in (score.embodied, score.score):
        assert quantity.low < quantity.value < quantity.high


def test_embodied_emissions_are_optional_and_leave_operational_ones_unchanged() -> None:
    plain, charged = summarised(case(), WITHOUT_EMBODIED), summarised(case(), WITH_EMBODIED)
    assert sci(plain, WITHOUT_EMBODIED) is None
    assert plain.summary == charged.summary
    assert not {"sci_g_per_1000_items"} & {
        column.key for column in table(recompute(run_file(), WITHOUT_EMBODIED)).columns
    }


def test_the_table_shows_both_parts_and_marks_estimates() -> None:
    cells = table(recompute(run_file(), WITH_EMBODIED)).rows[0].cells
    marks = [cells[f"{name}_g_per_1000_items"].mark for name in ("emissions", "embodied", "sci")]
    assert marks == ["", "~", "~"]
    values = [cells[key].value for key in ("emissions_g_per_1000_items", "embodied_g_per_1000_items")]
    assert cells["sci_g_per_1000_items"].value == pytest.approx(sum(values))


def test_unmeasured_energy_gives_no_score() -> None:
    score = sci(summarised(case(trials=[trial(readings=[energy(None)])])), WITH_EMBODIED)
    assert score is not None
    assert (score.score.value, score.score.kind) == (None, "unavailable")
    assert score.score.reason
    assert score.possible is None
    assert score.embodied.value is not None


def test_zero_embodied_emissions_divide_nothing_by_zero() -> None:
    nothing = WITHOUT_EMBODIED.model_copy(update={"embodied": parse_embodied(0, 4.0)})
    score = sci(summarised(case(trials=[trial()]), nothing), nothing)
    assert score is not None
    assert (score.embodied.value, score.assumed) == (0.0, (1.0, 1.0))
