"""The page as text: one file that loads nothing, with run file text escaped, and always the same bytes."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_files import cases, full, on_gpu, summarised
from run_files import case, failed_trial, run_file

from joulemark.reports.html import render, write
from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A strict parser: every element closed in order; collects text, payload, and what would be loaded."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.payload = ""
        self.text = ""
        self._in_payload = False
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.loads += [str(values[name]) for name in ("src", "href") if name in values and tag not in {"a", "use"}]
        assert tag != "use" or str(values["href"]).startswith("#")
        self._in_payload = values.get("id") == "report-data"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._in_payload:
            self.payload += data
            self._in_payload = False
        elif "script" not in self.open and "style" not in self.open:
            self.text += f" {data}"


def page_text(*runs: RunFile) -> str:
    return Page(render(runs, plotlyjs="cdn")).text


def section(html: str, id: str) -> str:
    """Return the markup of one section."""
    return html[html.index(f'<section id="{id}"') :].partition("</section>")[0]


@pytest.fixture(scope="module")
def html() -> str:
    return render([full()])


def test_page_is_one_file_that_loads_nothing(html: str) -> None:
    assert Page(html).loads == []
    assert html.count("/**\n* plotly.js v") == 1
    assert len(html.encode()) < 6_000_000


def test_payload_is_plain_json(html: str) -> None:
    payload = json.loads(Page(html).payload, parse_constant=lambda name: pytest.fail(f"{name} in the payload"))
    assert payload["figures"]
    assert "bdata" not in Page(html).payload


def test_charts_are_never_sent_anywhere(html: str) -> None:
    assert "showSendToCloud: false" in html
    assert "showSendToCloud: true" not in html.rpartition('id="report-data"')[2].rpartition("</script>")[2]


def test_same_input_gives_the_same_bytes() -> None:
    assert render([full()], plotlyjs="cdn") == render([full()], plotlyjs="cdn")


def test_plotly_can_be_elsewhere(tmp_path: Path) -> None:
    cdn = render([full()], plotlyjs="cdn")
    assert len(cdn.encode()) < 400_000
    assert re.search(r'<script src="https://cdn.plot.ly/plotly-[\d.]+.min.js" integrity="sha256-[^"]{44}"', cdn)
    written = write([full()], tmp_path / "page.html", plotlyjs="directory")
    assert written == tmp_path / "page.html"
    assert Page(written.read_text()).loads == ["plotly.min.js"]
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    assert Page(render([full()], plotlyjs="lib/plotly-basic.min.js")).loads == ["lib/plotly-basic.min.js"]
    with pytest.raises(UsageError, match="'inline'"):
        render([full()], plotlyjs="inline")


def test_page_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file"):
        write([full()], tmp_path / "file" / "page.html", plotlyjs="cdn")


def test_hostile_text_is_escaped() -> None:
    hostile = "</script><img src=x onerror=alert(1)>{{7*7}}\"'\u202e" + "x" * 10_000
    failed = case("d", id="e", trials=[failed_trial(reason=hostile)])
    run = summarised(run_file([case(hostile, id="a"), case("b", hostile, hostile, id="c"), failed]))
    html = render([run], plotlyjs="cdn")
    page = Page(html)
    assert page.loads
    assert all(load.startswith("https://cdn.plot.ly/") for load in page.loads)
    assert "<img" not in html
    assert "{{7*7}}" in page.text
    assert "\u202e" not in page.payload


def test_unmeasured_energy_has_its_reason_and_no_chart() -> None:
    html = render([summarised(run_file(cases(kind="unavailable")))], plotlyjs="cdn")
    text = Page(html).text
    assert "Energy: not measured." in text
    assert "not measured" in text
    assert "absent" in text
    assert 'id="fig-energy"' not in html
    assert 'id="fig-throughput"' in html


def test_idle_power_stands_under_the_power_chart() -> None:
    power = section(render([full()], plotlyjs="cdn"), "power")
    idle = full().idle[0]
    watts = (idle.energy[0].energy_j or 0.0) / (idle.window_s[1] - idle.window_s[0])
    assert f'data-value="{watts:.12g}"' in power
    assert "before the run" in power
    assert "resident" not in power  # no GPU to be resident on
    notes = "Notes: power with a program resident on a GPU was not measured: no trial on a GPU recorded it."
    assert notes in section(render([on_gpu()], plotlyjs="cdn"), "power")


def test_estimates_are_called_estimates() -> None:
    assert "Energy: estimated (rapl)." in page_text(summarised(run_file(cases(kind="model"))))


def test_run_without_any_result_makes_a_page() -> None:
    assert "0 of 1 case measured, 1 failed" in page_text(run_file([case(trials=[failed_trial()])], traces=()))


def test_runs_without_a_common_case_have_reasons_and_no_chart() -> None:
    earlier = summarised(run_file([case()]))
    changed = summarised(run_file([case(workload_version="ffffffffffff")], id="20261102T120000Z-b2c3"))
    for runs in ([earlier, changed], [full(), full()]):
        html = render(runs, plotlyjs="cdn")
        comparison = section(html, "comparison")
        assert "Not comparable: 1" in comparison
        assert "<li>" in comparison
        assert "facts" in comparison
        assert "<figure" not in comparison
        assert '<a href="#comparison">' in html
    assert 'id="comparison"' not in render([full()], plotlyjs="cdn")


def test_method_of_a_users_own_code_claims_no_fresh_processes() -> None:
    ours, own = run_file(), run_file(id="20261101T130000Z-a1b3")
    own = own.model_copy(update={"run": own.run.model_copy(update={"profile": "own"})})
    texts = {"ours": page_text(ours), "own": page_text(own), "both": page_text(ours, own)}
    fresh, user_code = "trial is a fresh process", "workload is the user's own code"
    assert {name: (fresh in text, user_code in text) for name, text in texts.items()} == {
        "ours": (True, False),
        "own": (False, True),
        "both": (True, True),
    }
    assert "In run B the workload is the user's own code" in texts["both"]
