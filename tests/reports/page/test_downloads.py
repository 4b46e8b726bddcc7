"""What the page's buttons save."""

from __future__ import annotations

import pytest
from chromium import Open, download, download_csv
from report_files import full

from joulemark.reports.embedded_run import thinned
from joulemark.suite.results.run_files import parse


def test_run_file(tab: Open, html: str) -> None:
    name, text = download(tab(html).open(), "[data-json]")
    assert parse(text, "the page") == thinned(full())
    assert name == f"{full().run.id}.json"


def test_results_table(tab: Open, html: str) -> None:
    rows = download_csv(tab(html).open(), "[data-csv]")
    by_id = {case.id: case for case in full().cases}
    assert {row["case"] for row in rows} == set(by_id)
    for row in rows:
        summary = by_id[row["case"]].summary
        for name in ("throughput", "energy_per_item_j", "emissions_g_per_1000_items"):
            value = getattr(summary, name).value if summary else None
            assert row[name] == "" if value is None else float(row[name]) == pytest.approx(value, rel=1e-11)


def test_data_table_of_a_chart(tab: Open, html: str) -> None:
    rows = download_csv(tab(html).open(), "[data-save='energy.CSV']")
    expected = [case.summary.energy_per_item_j.value for case in full().cases if case.summary]
    assert sorted(float(row["joules per item"]) for row in rows) == pytest.approx(sorted(expected), rel=1e-9)
