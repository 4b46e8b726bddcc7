"""What a year costs, against the closed form."""

from __future__ import annotations

import math

import pytest
from run_files import CH, case, energy, run_file, trial

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Emissions, Pue, RunFile
from joulemark.suite.results.machine.year import items_of_day, year
from joulemark.suite.results.machine.years import unshared, year_lines
from joulemark.suite.results.references.kept import Reference

GRID = Emissions(intensity=CH.model_copy(update={"g_per_kwh": 400.0}), pue=Pue(value=1.5, source="test"))


def machine(rate: float = 100.0, energy_j: float = 100.0, **fields: object) -> RunFile:
    """Return a run of one case: `energy_j` in 2 s at `rate` items/s; idle at 20 W."""
    return run_file([case(trials=[trial(1, rate, readings=[energy(energy_j)])])], **fields)


def test_year_is_active_joules_and_idle_watts_times_pue() -> None:
    """50 W for 8 h a day and 20 W for 16: 146 and 116.8 kWh, x 1.5 = 394.2 kWh, 157.68 kg and 118.26 at 0.30."""
    run = machine()
    items = items_of_day(run.cases[0], 8.0)
    assert items == pytest.approx(100 * 8 * 3600)
    of_year = year(run, run.cases[0], items, GRID, price=0.30)
    assert of_year.active_h == pytest.approx(2920)
    assert (of_year.active_kwh, of_year.idle_kwh) == (pytest.approx(0.050 * 2920), pytest.approx(0.020 * 5840))
    assert of_year.facility_kwh == pytest.approx(394.2)
    assert of_year.emissions_kg == pytest.approx(394.2 * 0.4)
    assert of_year.cost == pytest.approx(118.26)
    assert (of_year.machines, of_year.estimated, of_year.lower_bound) == (1, False, False)


def test_busy_all_day_is_never_idle_and_more_work_takes_more_machines() -> None:
    run = machine()
    items = items_of_day(run.cases[0], 24.0)
    for rounded in (items, math.nextafter(items, 0.0), math.nextafter(items, math.inf)):
        full = year(run, run.cases[0], rounded, GRID)
        assert (full.machines, full.idle_kwh) == (1, 0.0)
    more = year(run, run.cases[0], items_of_day(run.cases[0], 24.0) * 2.5, GRID)
    assert more.machines == 3
    assert more.idle_kwh == pytest.approx(0.020 * 0.5 * 8760)
    assert more.cost is None  # no price


def test_psf_multiplies_the_items_and_shortens_the_idle_time() -> None:
    run = machine()
    once, thrice = (year(run, run.cases[0], 1e6, GRID.model_copy(update={"psf": psf})) for psf in (1.0, 3.0))
    assert thrice.active_kwh == pytest.approx(3 * once.active_kwh)
    assert once.idle_kwh - thrice.idle_kwh == pytest.approx(0.020 * (thrice.active_h - once.active_h))


def test_unknown_idle_power_makes_a_lower_bound_and_unknown_energy_no_number() -> None:
    run = machine(idle=())
    bound = year(run, run.cases[0], 1e6, GRID)
    assert (bound.idle_kwh, bound.lower_bound, bound.reason) == (None, True, "idle power was not measured")
    assert bound.facility_kwh == pytest.approx(bound.active_kwh * 1.5)
    dark = run_file([case(trials=[trial(readings=[energy(None)])])])
    nothing = year(dark, dark.cases[0], 1e6, GRID, price=1.0)
    assert (nothing.facility_kwh, nothing.emissions_kg, nothing.cost) == (None, None, None)
    assert "energy" in nothing.reason


def test_references_do_the_same_items() -> None:
    """Twice as fast at twice the watts: the same active energy, and longer idle."""
    run, faster = machine(), Reference("fast", "Fast", "A test.", (machine(200.0, 200.0, id="fast"),))
    here, there = year_lines(run, run.cases, [faster], GRID)
    assert (here.machine, there.machine) == ("this machine", "fast")
    assert there.items_per_day == here.items_per_day
    assert there.year.active_kwh == pytest.approx(here.year.active_kwh)
    assert there.year.active_h == pytest.approx(here.year.active_h / 2)
    assert there.year.idle_kwh == pytest.approx(0.020 * (8760 - 1460))


def test_energy_of_other_components_or_kinds_is_not_compared() -> None:
    """A board's joules beside a processor's, and a measurement beside an estimate: hours alone, and why."""
    run = machine()
    board = run_file([case(trials=[trial(1, 100.0, readings=[energy(100.0, "gpu")])])], id="board")
    modelled = run_file([case(trials=[trial(1, 100.0, readings=[energy(100.0, kind="model")])])], id="modelled")
    references = [Reference(each.run.id, "Title", "A test.", (each,)) for each in (board, modelled, run)]
    here, *others, same = year_lines(run, run.cases, references, GRID, price=0.3)
    for line, words in zip(
        others, ("its energy is of gpu, this machine's of ", "its energy is estimated"), strict=True
    ):
        of_year = line.year
        assert (of_year.facility_kwh, of_year.emissions_kg, of_year.cost, of_year.active_kwh) == (None,) * 4
        assert of_year.reason.startswith(words)
        assert line.text(of_year.active_kwh) == line.total_text(of_year.cost) == "not compared"
        assert of_year.active_h == pytest.approx(here.year.active_h)
    assert same.year.facility_kwh == here.year.facility_kwh
    assert same.note == "this run is part of that reference"


def test_hours_are_of_each_machine_and_estimates_have_their_range() -> None:
    """146 kWh of work within 50 % and 116.8 kWh idle within 2 % of 262.8 kWh: factors 0.7133 and 1.2867."""
    run = run_file([case(trials=[trial(1, 100.0, readings=[energy(100.0, kind="model", gain=0.5)])])])
    of_year = year(run, run.cases[0], items_of_day(run.cases[0], 24.0) * 2.5, GRID)
    assert of_year.busy_h == pytest.approx(8760 * 2.5 / 3)
    (line,) = year_lines(run, run.cases, [], GRID)
    assert line.year.factors == (pytest.approx(187.464 / 262.8), pytest.approx(338.136 / 262.8))
    assert line.total_text(line.year.facility_kwh) == "~390 (280 to 510)"
    (measured,) = year_lines(machine(), machine().cases, [], GRID)
    assert measured.total_text(measured.year.facility_kwh) == "394"


def test_reference_without_the_cases_says_so() -> None:
    other = Reference("other", "Other", "A test.", (run_file([case("vit")], id="other"),))
    run = machine()
    assert unshared(run, run.cases, [other]) == (
        "other does not have the case; `joulemark references --json` lists its 1.",
    )
    assert unshared(run, run.cases, [Reference("same", "Same", "A test.", (run,))]) == ()


@pytest.mark.parametrize(("items", "price", "words"), [(0.0, None, "--items-per-day"), (1.0, -1.0, "--price")])
def test_numbers_out_of_range_are_refused(items: float, price: float | None, words: str) -> None:
    run = machine()
    with pytest.raises(UsageError, match=words):
        year(run, run.cases[0], items, GRID, price)
