"""The SCI score: operational and embodied side by side, never mixed silently."""

from __future__ import annotations

import pytest
from run_files import CH, case, energy, run_file, trial

from joulemark.suite.carbon.inputs import embodied
from joulemark.suite.records import Case, Emissions, Pue
from joulemark.suite.results.sci import sci
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import table

PLAIN = Emissions(intensity=CH, pue=Pue(value=1.0, source="one's own machine"))
ASSUMED = PLAIN.model_copy(update={"embodied": embodied("assumed", 4.0)})


def summarised(one: Case, emissions: Emissions = ASSUMED) -> Case:
    return recompute(run_file([one]), emissions).cases[0]


def test_by_hand_on_a_cpu() -> None:
    # 1,000 items at 100/s take 10 s of 35,040 h of 1,000 kg.
    found = sci(summarised(case(trials=[trial()])), ASSUMED)
    assert found is not None
    assert found.embodied.value == pytest.approx(1_000_000 * 10 / 3600 / 35_040)
    assert found.operational.value == pytest.approx(500 / 3.6e6 * 39.22)
    assert found.score.value == pytest.approx(found.operational.value + found.embodied.value)
    assert (found.operational.kind, found.embodied.kind, found.score.kind) == ("counter", "model", "model")


@pytest.mark.parametrize(("device", "boards"), [("cuda:0", 1), ("cuda:0+cuda:1+cuda:3", 3), ("cuda", 1)])
def test_boards_are_charged_to_who_uses_them(device: str, boards: int) -> None:
    on_cpu = sci(summarised(case(trials=[trial()])), ASSUMED)
    on_gpu = sci(summarised(case(device=device, trials=[trial()])), ASSUMED)
    assert on_cpu is not None
    assert on_gpu is not None
    # A board is 150 kg beside the 1,000 kg of the server.
    assert on_gpu.embodied.value == pytest.approx(on_cpu.embodied.value * (1 + 0.15 * boards))


def test_assumptions_have_a_range_of_their_own() -> None:
    found = sci(summarised(case(trials=[trial()])), ASSUMED)
    assert found is not None
    # Half the mass over 6 of 4 years; twice the mass over 3 of 4 years.
    assert found.assumed == pytest.approx((0.5 * 4 / 6, 2.0 * 4 / 3))
    assert found.possible is not None
    assert found.possible[0] < found.score.value < found.possible[1]
    assert found.possible[1] == pytest.approx(found.operational.value * 1.02 + found.embodied.value * 8 / 3)


def test_interval_between_trials_goes_with_the_rate() -> None:
    found = sci(summarised(case()), ASSUMED)
    assert found is not None
    for quantity in (found.embodied, found.score):
        assert quantity.low < quantity.value < quantity.high


def test_off_by_default_and_operational_is_untouched() -> None:
    plain, charged = summarised(case(), PLAIN), summarised(case(), ASSUMED)
    assert sci(plain, PLAIN) is None
    assert plain.summary == charged.summary
    assert not {"sci_g_per_1000_items"} & {column.key for column in table(recompute(run_file(), PLAIN)).columns}


def test_table_shows_both_parts_and_marks_them_estimated() -> None:
    cells = table(recompute(run_file(), ASSUMED)).rows[0].cells
    marks = [cells[f"{name}_g_per_1000_items"].mark for name in ("emissions", "embodied", "sci")]
    assert marks == ["", "~", "~"]
    values = [cells[key].value for key in ("emissions_g_per_1000_items", "embodied_g_per_1000_items")]
    assert cells["sci_g_per_1000_items"].value == pytest.approx(sum(values))


def test_unmeasured_energy_gives_no_score() -> None:
    found = sci(summarised(case(trials=[trial(readings=[energy(None)])])), ASSUMED)
    assert found is not None
    assert (found.score.value, found.score.kind) == (None, "unavailable")
    assert found.score.reason
    assert found.possible is None
    assert found.embodied.value is not None


def test_nothing_embodied_is_no_division_by_zero() -> None:
    nothing = PLAIN.model_copy(update={"embodied": embodied(0, 4.0)})
    found = sci(summarised(case(trials=[trial()]), nothing), nothing)
    assert found is not None
    assert (found.embodied.value, found.assumed) == (0.0, (1.0, 1.0))
