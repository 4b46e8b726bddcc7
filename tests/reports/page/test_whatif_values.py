"""What the page computes by itself equals what Python computes, to 1e-9, text included."""

from __future__ import annotations

import random
from typing import Any

import pytest
from chromium import Open
from report_files import cases, full, summarised
from run_files import run_file

from joulemark.reports.figures import figures
from joulemark.reports.html import render
from joulemark.reports.model import build
from joulemark.suite import units
from joulemark.suite.carbon import ember
from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j
from joulemark.suite.energy.totals import run_totals
from joulemark.suite.records import Emissions, Intensity, Pue, RunFile
from joulemark.suite.results.intensity_kind import intensity_kind
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import matching_digits, table

ZONES = tuple(ember.countries().values())
GRIDS = [
    ("zone=PL&pue=1.5&psf=20", ember.intensity("PL"), 1.5, 20.0),
    ("intensity=12.5", Intensity(g_per_kwh=12.5, source="given", zone=None), None, None),
    ("pue=1.09", None, 1.09, None),
    ("intensity=0", Intensity(g_per_kwh=0.0, source="given", zone=None), None, None),
]


def ranged() -> RunFile:
    """A run whose intensity and PUE have ranges."""
    used = Emissions(
        intensity=Intensity(g_per_kwh=300.0, source="a service", zone="DE", low=250.0, high=380.0),
        pue=Pue(value=1.2, source="given", low=1.1, high=1.4),
        psf=2.0,
    )
    return recompute(full(), used)


def elsewhere(run: RunFile, intensity: Intensity | None, pue: float | None, psf: float | None) -> RunFile:
    """`run` as `joulemark report --zone --pue --psf` recomputes it."""
    used = run.emissions
    return recompute(
        run,
        used.model_copy(
            update={
                "intensity": intensity or used.intensity,
                "pue": Pue(value=pue, source="given") if pue else used.pue,
                "psf": psf or used.psf,
            }
        ),
    )


@pytest.fixture(scope="module")
def html() -> str:
    return render([ranged()], zones=ZONES)


@pytest.mark.parametrize(("state", "intensity", "pue", "psf"), GRIDS)
def test_the_table_and_the_tiles(
    tab: Open, html: str, state: str, intensity: Intensity | None, pue: float | None, psf: float | None
) -> None:
    page = tab(html).open(state)
    other = elsewhere(ranged(), intensity, pue, psf)
    assert set(page.locator("#answer .basis, #results .basis").all_inner_texts()) == {
        intensity_kind(other.emissions.intensity).mark
    }
    expected = table(other)
    shown = cells_of(page)
    units_shown = page.locator("#results thead .unit").all_inner_texts()
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
        assert units_shown == [column.unit for column in expected.columns]
    works = page.locator("#work option").all()
    for work in [option.get_attribute("value") for option in works]:
        page.select_option("#work", work)
        for node in page.locator("#choice [data-cell]").all():
            key, _, name = node.get_attribute("data-cell").partition("|")
            cell = expected.rows[int(key[1:])].cells[name]
            if cell.value:
                assert node.locator(".value").inner_text() == cell.mark + cell.text
                assert node.locator(".interval").inner_text() == cell.interval
    totals = run_totals(other)
    said = page.locator("[data-total=A]").inner_text().removeprefix("at least ")
    once, _, repeated = said.partition(f"; times PSF {totals.psf:g}: ")
    assert units.duration(totals.run.duration_s) in once
    for words, total in ((once, totals.run), (repeated, totals.projected)):
        assert total.facility_energy_j is not None
        assert total.emissions_g is not None
        assert float(words.split(" kWh")[0]) == pytest.approx(units.kwh(total.facility_energy_j), rel=1e-3)
        assert float(words.split(", ")[1].split(" g")[0]) == pytest.approx(total.emissions_g, rel=1e-3)


@pytest.mark.parametrize("state", ["", "zone=PL&pue=1.5"])
def test_estimates_keep_their_mark_and_their_range(tab: Open, state: str) -> None:
    run = summarised(run_file(cases(kind="model")))
    opened = tab(render([run], zones=ZONES))
    page = opened.open(state)
    opened.draw_all()
    other = elsewhere(run, ember.intensity("PL"), 1.5, None) if state else run
    expected = table(other)
    shown = cells_of(page)
    for i, row in enumerate(expected.rows):
        for column in expected.columns:
            cell = row.cells[column.key]
            assert shown[f"c{i}|{column.key}"][1:] == [cell.mark + cell.text, cell.interval or cell.reason or ""]
    assert " to " in expected.rows[0].cells["emissions_g_per_1000_items"].interval
    for key in page.evaluate("[...document.querySelectorAll('[data-formula]')].map((line) => line.dataset.formula)"):
        line = page.locator(f"[data-formula={key}]")
        grams = expected.rows[int(key[1:])].cells["emissions_g_per_1000_items"].value
        assert line.locator("[data-part=energy]").inner_text().startswith("~")
        assert line.locator("[data-part=grams]").inner_text() == f"~{grams:.3g}"
    wanted = next(f for f in figures(build([other])) if f.id == "emissions").data[0]
    assert "estimate" in wanted["name"]
    same(page.evaluate("document.getElementById('plot-emissions').data[0].x"), wanted["x"])


def cells_of(page: Any) -> dict[str, list[str]]:
    """Value, text and interval of every cell of the table on the page, by case and column."""
    found: dict[str, list[str]] = page.evaluate(
        """() => {
          const keys = [...document.querySelectorAll('#results thead th[data-key]')].map((th) => th.dataset.key);
          return Object.fromEntries([...document.querySelectorAll('#results tbody tr')].flatMap((tr) =>
            [...tr.cells].slice(2).map((td, i) => [`${tr.dataset.case}|${keys[i]}`, [td.dataset.value,
              td.querySelector('span').textContent, td.querySelector('small')?.textContent ?? '']])));
        }"""
    )
    return found


def test_the_tiles_of_another_work_are_like_those_that_the_page_opens_with(tab: Open, html: str) -> None:
    page = tab(html).open()
    first = page.locator("#choice").inner_text()
    opening = page.input_value("#work")
    page.select_option("#work", "g0")
    assert page.locator("#choice").inner_text() != first
    page.select_option("#work", opening)
    assert page.locator("#choice").inner_text().split() == first.split()


@pytest.mark.parametrize(("state", "intensity", "pue", "psf"), GRIDS[:3])
def test_the_charts(
    tab: Open, html: str, state: str, intensity: Intensity | None, pue: float | None, psf: float | None
) -> None:
    opened = tab(html)
    page = opened.open(state)
    opened.draw_all()
    expected = {f.id: f for f in figures(build([elsewhere(ranged(), intensity, pue, psf)]))}
    for name in ("emissions", "breakdown"):
        drawn = page.evaluate(
            f"document.getElementById('plot-{name}').data.filter((t) => t.visible !== false)"
            ".map((t) => ({x: t.x, listed: t.showlegend,"
            " up: t.error_x && t.error_x.array, down: t.error_x && t.error_x.arrayminus}))"
        )
        wanted = expected[name].data
        assert len(drawn) == len(wanted)
        for one, other in zip(drawn, wanted, strict=True):
            same(one["x"], other["x"])
            assert one.get("listed") == other.get("showlegend")
            if "error_x" in other:
                same(one["up"], other["error_x"]["array"])
                same(one["down"], other["error_x"]["arrayminus"])
    looks = page.evaluate(
        "document.getElementById('plot-emissions').data.filter((t) => t.visible !== false)"
        ".map((t) => [t.name, t.marker ?? {}])"
    )
    for (name, marker), other in zip(looks, expected["emissions"].data, strict=True):
        assert name == other["name"]
        assert marker.get("symbol") == other.get("marker", {}).get("symbol")
    reach = page.evaluate("document.getElementById('plot-breakdown').layout.xaxis.range")
    same(reach, expected["breakdown"].layout["xaxis"]["range"])
    axis = page.evaluate("document.getElementById('plot-emissions').layout.xaxis")
    layout = expected["emissions"].layout["xaxis"]
    same(axis["range"], layout["range"])
    assert axis["ticktext"] == layout["ticktext"]


def same(one: list[Any], other: list[Any]) -> None:
    """Equal lists: to 1e-9, or to the last of a figure's six digits where a tie is rounded the other way."""
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a is b is None or a == pytest.approx(b, rel=2e-6, abs=1e-9)


def test_a_days_items(tab: Open, html: str) -> None:
    page = tab(html).open("zone=DE&pue=1.3&psf=3&items=250000")
    run = ranged()
    rows = page.locator("#whatif-days tbody tr")
    cases = [case for case in run.cases if case.summary and case.phase == "training" and case.workload == "cnn"]
    assert rows.count() == len(cases) == 2
    for i, case in enumerate(cases):
        assert case.summary is not None
        energy_j = case.summary.energy_per_item_j.value
        assert energy_j is not None
        # PSF is of this run's computation, of which these items are no repetition.
        facility_j = facility_energy_j(energy_j, 1.3) * 250_000
        kilograms = emissions_g(facility_j, ember.intensity("DE").g_per_kwh) / 1000
        expected = [units.kwh(facility_j), kilograms, kilograms * 365]
        shown = [float(cell.get_attribute("data-value")) for cell in rows.nth(i).locator("td").all()]
        assert shown == pytest.approx(expected, rel=1e-9)


def test_going_back_gives_the_first_numbers(tab: Open, html: str) -> None:
    page = tab(html).open()
    before = page.locator("#results").inner_text()
    page.select_option("[name=zone]", "PL")
    page.fill("[name=pue]", "1.7")
    assert page.locator("#results").inner_text() != before
    assert "Poland" in page.locator("#whatif-says").inner_text()
    page.locator("#whatif [type=reset]").click()
    assert page.locator("#results").inner_text() == before
    assert "zone" not in page.url


def test_what_cannot_be_is_not_taken(tab: Open, html: str) -> None:
    opened = tab(html)
    before = opened.open().locator("#results").inner_text()
    for state in ("pue=0.5", "pue=x", "intensity=-1", "intensity=9999", "psf=0", "zone=XX", "items=-5", "work=g99"):
        assert opened.open(state).locator("#results").inner_text() == before, state


def test_text_is_rounded_as_in_python(tab: Open, html: str) -> None:
    """The page's `matched` and `prefix` are the suite's: tried on many magnitudes through a run's own table."""
    page = tab(html).open()
    # The functions are private to the page's script: what is tried is the script itself, evaluated once more.
    source = (html.rpartition("<script>")[2]).partition("const payload")[0].partition("'use strict';")[2]
    random.seed(7)
    numbers = [random.uniform(1, 10) * 10 ** random.randint(-10, 9) for _ in range(400)]
    triples = [(x, x * (1 - random.uniform(0, 0.6)), x * (1 + random.uniform(0, 2))) for x in numbers]
    call = "triples.map(([v, low, high]) => [matched(v, low, high), significant(v), prefix(v)])"
    found = page.evaluate(f"(triples) => {{ {source} return {call}; }}", [list(t) for t in triples])
    for triple, (texts, short, (factor, name)) in zip(triples, found, strict=True):
        assert tuple(texts) == matching_digits(*triple)
        assert short == units.significant(triple[0])
        assert (factor, name) == units.prefix(triple[0])


def test_a_page_without_countries_still_takes_a_value(tab: Open) -> None:
    page = tab(render([full()])).open("intensity=100&zone=PL")
    value = cells_of(page)["c0|emissions_g_per_1000_items"][0]
    summary = elsewhere(full(), Intensity(g_per_kwh=100.0, source="given", zone=None), None, None).cases[0].summary
    assert summary is not None
    assert float(value) == pytest.approx(summary.emissions_g_per_1000_items.value, rel=1e-9)


def test_a_run_without_energy_has_nothing_to_recompute(tab: Open) -> None:
    page = tab(render([run_file(traces=())], zones=ZONES)).open("zone=PL&items=10")
    assert page.locator("#results tbody tr").count() == 2
