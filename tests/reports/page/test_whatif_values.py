"""What the page recomputes equals what Python computes, to 1e-9 and with the same text: table, tiles and totals."""

from __future__ import annotations

import random
from typing import Any

import pytest
from chromium import Open
from report_files import cases, full, summarised
from run_files import run_file
from whatif_runs import INPUTS, ZONES, recomputed, with_ranges

from joulemark.reports.html import render
from joulemark.reports.model import build
from joulemark.suite import units
from joulemark.suite.carbon import ember
from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j
from joulemark.suite.energy.totals import run_totals
from joulemark.suite.records import Intensity, RunFile
from joulemark.suite.results.intensity_kind import intensity_kind
from joulemark.suite.results.machine.known_units import known_units
from joulemark.suite.results.table import matching_digits, table

EMISSIONS = "emissions_g_per_1000_items"


@pytest.fixture(scope="module")
def ranged_page() -> str:
    return render([with_ranges()], zones=ZONES)


def cells_of(page: Any) -> dict[str, list[str]]:
    """Return value, text and interval of every cell of the table on the page, by case and column."""
    cells: dict[str, list[str]] = page.evaluate(
        """() => {
          const keys = [...document.querySelectorAll('#results thead th[data-key]')].map((th) => th.dataset.key);
          return Object.fromEntries([...document.querySelectorAll('#results tbody tr')].flatMap((tr) =>
            [...tr.cells].slice(2).map((td, i) => [`${tr.dataset.case}|${keys[i]}`, [td.dataset.value,
              td.querySelector('span').textContent, td.querySelector('small')?.textContent ?? '']])));
        }"""
    )
    return cells


def check_total(page: Any, run: RunFile) -> None:
    """Compare the run's total on the page with Python's."""
    totals = run_totals(run)
    text = page.locator("[data-total=A]").inner_text().removeprefix("at least ")
    once, _, scaled = text.partition(f"; times PSF {totals.psf:g}: ")
    assert units.duration(totals.run.duration_s) in once
    for shown, total in ((once, totals.run), (scaled, totals.projected)):
        assert total.facility_energy_j is not None
        assert total.emissions_g is not None
        assert float(shown.split(" kWh")[0]) == pytest.approx(units.kwh(total.facility_energy_j), rel=1e-3)
        assert float(shown.split(", ")[1].split(" g")[0]) == pytest.approx(total.emissions_g, rel=1e-3)


@pytest.mark.parametrize(("state", "intensity", "pue", "psf"), INPUTS)
def test_table_tiles_and_total(
    tab: Open, ranged_page: str, state: str, intensity: Intensity | None, pue: float | None, psf: float | None
) -> None:
    page = tab(ranged_page).open(state)
    run = recomputed(with_ranges(), intensity, pue, psf)
    check_total(page, run)
    marks = page.locator("#overview .intensity-kind, #results .intensity-kind").all_inner_texts()
    assert set(marks) == {intensity_kind(run.emissions.intensity).mark}
    expected = table(run)
    shown = cells_of(page)
    for i, row in enumerate(expected.rows):
        for column in expected.columns:
            cell = row.cells[column.key]
            value, text, interval = shown[f"c{i}|{column.key}"]
            if cell.value is None:
                assert value == ""
                continue
            assert float(value) == pytest.approx(cell.value, rel=1e-9, abs=0)
            if cell.value:
                assert text == cell.mark + cell.text
                assert interval == (cell.interval or cell.reason or "")
    if intensity is None or intensity.g_per_kwh:
        units_shown = page.locator("#results thead .unit").all_inner_texts()
        assert units_shown == [column.unit for column in expected.columns]
    for key in [option.get_attribute("value") for option in page.locator("#task option").all()]:
        page.select_option("#task", key)
        for node in page.locator("#tile-group [data-cell]").all():
            case_key, _, column_key = node.get_attribute("data-cell").partition("|")
            cell = expected.rows[int(case_key[1:])].cells[column_key]
            if cell.value:
                assert node.locator(".value").inner_text() == cell.mark + cell.text
                assert node.locator(".interval").inner_text() == cell.interval


@pytest.mark.parametrize("state", ["", "zone=PL&pue=1.5"])
def test_estimates_keep_their_mark_and_their_range(tab: Open, state: str) -> None:
    run = summarised(run_file(cases(kind="model")))
    page = tab(render([run], zones=ZONES)).open(state)
    expected = table(recomputed(run, ember.intensity("PL"), 1.5, None) if state else run)
    shown = cells_of(page)
    for i, row in enumerate(expected.rows):
        for column in expected.columns:
            cell = row.cells[column.key]
            assert shown[f"c{i}|{column.key}"][1:] == [cell.mark + cell.text, cell.interval or cell.reason or ""]
    assert " to " in expected.rows[0].cells[EMISSIONS].interval
    for key in page.evaluate("[...document.querySelectorAll('[data-formula]')].map((line) => line.dataset.formula)"):
        line = page.locator(f"[data-formula={key}]")
        grams = expected.rows[int(key[1:])].cells[EMISSIONS].value
        assert line.locator("[data-term=energy]").inner_text().startswith("~")
        assert line.locator("[data-term=emissions]").inner_text() == f"~{grams:.3g}"


def test_tiles_made_by_the_page_are_like_those_it_opens_with(tab: Open, ranged_page: str) -> None:
    page = tab(ranged_page).open()
    first, key = page.locator("#tile-group").inner_text(), page.input_value("#task")
    page.select_option("#task", "g0")
    assert page.locator("#tile-group").inner_text() != first
    page.select_option("#task", key)
    assert page.locator("#tile-group").inner_text().split() == first.split()


def test_items_per_day(tab: Open, ranged_page: str) -> None:
    page = tab(ranged_page).open("zone=DE&pue=1.3&psf=3&items=250000")
    rows = page.locator("#whatif-days tbody tr")
    made = [case for case in with_ranges().cases if case.summary and case.id.startswith("cnn:small/training")]
    assert rows.count() == len(made) == 2
    for i, case in enumerate(made):
        assert case.summary is not None
        energy_j = case.summary.energy_per_item_j.value
        assert energy_j is not None
        # PSF scales this run's computation, which these items do not repeat.
        facility_j = facility_energy_j(energy_j, 1.3) * 250_000
        kilograms = emissions_g(facility_j, ember.intensity("DE").g_per_kwh) / 1000
        shown = [float(cell.get_attribute("data-value")) for cell in rows.nth(i).locator("td").all()]
        assert shown == pytest.approx([units.kwh(facility_j), kilograms, kilograms * 365], rel=1e-9)


def test_text_is_rounded_as_in_python(tab: Open, html: str) -> None:
    """The page's matchingDigits, significant and prefix agree with the suite's over many magnitudes."""
    page = tab(html).open()
    # The functions are private to the page's script: its first part is evaluated once more.
    source = html.rpartition("<script>")[2].partition("const payload")[0].partition("'use strict';")[2]
    generator = random.Random(7)
    values = [generator.uniform(1, 10) * 10 ** generator.randint(-10, 9) for _ in range(400)]
    triples = [(x, x / 2000, x * 2000) for x in values[:50]]
    triples += [(x, x * (1 - generator.uniform(0, 0.6)), x * (1 + generator.uniform(0, 2))) for x in values]
    call = "triples.map(([v, low, high]) => [matchingDigits(v, low, high), significant(v), prefix(v)])"
    results = page.evaluate(f"(triples) => {{ {source} return {call}; }}", [list(triple) for triple in triples])
    for triple, (texts, short, (factor, name)) in zip(triples, results, strict=True):
        assert tuple(texts) == matching_digits(*triple)
        assert short == units.significant(triple[0])
        assert (factor, name) == units.prefix(triple[0])


def test_page_without_countries_takes_an_intensity(tab: Open) -> None:
    page = tab(render([full()])).open("intensity=100&zone=PL")
    value = cells_of(page)[f"c0|{EMISSIONS}"][0]
    given = Intensity(g_per_kwh=100.0, source="given", zone=None)
    summary = recomputed(full(), given, None, None).cases[0].summary
    assert summary is not None
    assert float(value) == pytest.approx(summary.emissions_g_per_1000_items.value, rel=1e-9)


def test_run_without_energy_has_nothing_to_recompute(tab: Open) -> None:
    page = tab(render([run_file(traces=())], zones=ZONES)).open("zone=PL&items=10")
    assert page.locator("#results tbody tr").count() == 2


def test_grams_in_the_headline_of_a_machine_follow_the_grid(tab: Open) -> None:
    page = tab(render([full()], zones=tuple(ember.countries().values()))).open("intensity=1000")
    # 900 images/s at 55 W in the faster framework; the cheapest counts.
    cost = next(c for c in known_units(full().cases) if c.unit.name == "inference, per image")
    text = page.locator("[data-grams]").filter(has_text="g").nth(1).inner_text()
    factor = {"m": 1e-3, "µ": 1e-6, "n": 1e-9}[text.split()[1][0]]
    assert float(text.split()[0]) * factor == pytest.approx(cost.energy_j.value / 3.6e6 * 1000, rel=5e-3)


def test_year_follows_grid_and_facility(tab: Open) -> None:
    """The first row is the classified image: 8 h a day at work, idle at 20 W for the rest."""
    page = tab(render([full()], price=0.3)).open("intensity=1000&pue=2")
    row = build([full()], price=0.3).years[0]
    cells = page.locator("#year tbody tr").first.locator("td").all_inner_texts()
    shown = [cell.removeprefix("≥") for cell in cells]  # its memory was not measured idle
    assert float(shown[-3]) == pytest.approx(2 * row.it_kwh, rel=5e-3)
    assert float(shown[-2].split()[0]) == pytest.approx(2 * row.it_kwh, rel=5e-3)  # 1 kg a kWh
    assert float(shown[-1]) == pytest.approx(2 * 0.3 * row.it_kwh, rel=5e-3)
