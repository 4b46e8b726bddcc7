"""The page as text: one file, nothing loaded, nothing hostile alive, the same bytes each time."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_files import cases, full, on_gpu, summarised
from run_files import case, failed_trial, run_file

from joulemark.reports.figures.base import listed
from joulemark.reports.html import render, write
from joulemark.suite.errors import UsageError

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A strict reader: every element closed in order; what would be loaded, collected."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.payload = ""
        self.text: list[str] = []
        self._data = False
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loads += [str(found[name]) for name in ("src", "href") if name in found and tag not in {"a", "use"}]
        assert tag != "use" or str(found["href"]).startswith("#")
        self._data = found.get("id") == "report-data"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._data:
            self.payload += data
            self._data = False
        elif "script" not in self.open and "style" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return render([full()])


def test_one_file_that_loads_nothing(page: str) -> None:
    assert Page(page).loads == []
    assert page.count("/**\n* plotly.js v") == 1
    assert len(page.encode()) < 6_000_000


def test_the_payload_is_plain_json(page: str) -> None:
    payload = json.loads(Page(page).payload, parse_constant=lambda name: pytest.fail(f"{name} in the payload"))
    assert payload["figures"]
    assert "bdata" not in Page(page).payload


def test_charts_are_never_sent_anywhere(page: str) -> None:
    assert "showSendToCloud: false" in page
    assert "showSendToCloud: true" not in page.rpartition('id="report-data"')[2].rpartition("</script>")[2]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert render([full()], plotlyjs="cdn") == render([full()], plotlyjs="cdn")


def test_the_library_can_be_elsewhere(tmp_path: Path) -> None:
    cdn = render([full()], plotlyjs="cdn")
    assert len(cdn.encode()) < 400_000
    assert re.search(r'<script src="https://cdn.plot.ly/plotly-[\d.]+.min.js" integrity="sha256-[^"]{44}"', cdn)
    written = write([full()], tmp_path / "page.html", plotlyjs="directory")
    assert written == tmp_path / "page.html"
    assert Page(written.read_text()).loads == ["plotly.min.js"]
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    assert Page(render([full()], plotlyjs="lib/plotly-basic.min.js")).loads == ["lib/plotly-basic.min.js"]
    with pytest.raises(UsageError, match=r"'inline'; it must be embed, cdn, directory"):
        render([full()], plotlyjs="inline")


def test_a_path_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write([full()], tmp_path / "file" / "page.html", plotlyjs="cdn")


def test_hostile_text_is_inert() -> None:
    hostile = "</script><img src=x onerror=alert(1)>{{7*7}}\"'\u202e" + "x" * 10_000
    page = render(
        [
            summarised(
                run_file(
                    [
                        case(hostile, id="a"),
                        case("b", hostile, hostile, id="c"),
                        case("d", id="e", trials=[failed_trial(reason=hostile)]),
                    ]
                )
            )
        ],
        plotlyjs="cdn",
    )
    read = Page(page)
    assert read.loads
    assert all(load.startswith("https://cdn.plot.ly/") for load in read.loads)
    assert "<img" not in page
    assert "{{7*7}}" in "".join(read.text)
    assert "\u202e" not in read.payload


def test_what_was_not_measured_says_so_and_why() -> None:
    page = render([summarised(run_file(cases(kind="unavailable")))], plotlyjs="cdn")
    text = " ".join(Page(page).text)
    assert "Energy was not measured" in text
    assert "not measured" in text
    assert "absent" in text
    assert 'id="fig-energy"' not in page
    assert 'id="fig-throughput"' in page


def test_power_at_rest_stands_under_the_power_chart() -> None:
    page = render([full()], plotlyjs="cdn")
    power = page[page.index('<section id="power"') : page.index('<section id="trials"')]
    idle = full().idle[0]
    watts = (idle.energy[0].energy_j or 0.0) / (idle.window_s[1] - idle.window_s[0])
    assert f'data-value="{watts:.12g}"' in power
    assert "before the run" in power
    assert "resident" not in power  # no board to be resident on
    board = render([on_gpu()], plotlyjs="cdn")
    assert "with a program resident on a GPU" in board[board.index('<section id="power"') :].partition("<table")[2]


def test_estimates_are_called_estimates() -> None:
    text = " ".join(Page(render([summarised(run_file(cases(kind="model")))], plotlyjs="cdn")).text)
    assert "Energy is estimated, not measured" in text


def test_a_run_without_any_result_makes_a_page() -> None:
    page = render([run_file([case(trials=[failed_trial()])], traces=())], plotlyjs="cdn")
    assert "0 of 1 case measured, 1 failed" in " ".join(Page(page).text)


def test_runs_without_a_case_in_common_say_why() -> None:
    """A section that only has reasons stands without a chart."""
    earlier = summarised(run_file([case()]))
    changed = summarised(run_file([case(workload_version="ffffffffffff")], id="20261102T120000Z-b2c3"))
    for runs, reason in (([earlier, changed], "the workload changed"), ([full(), full()], "it is run A once more")):
        page = render(runs, plotlyjs="cdn")
        section = page[page.index('<section id="comparison"') :].partition("</section>")[0]
        assert "Nothing can be held against run A" in section
        assert reason in section
        assert "facts" in section
        assert "<figure" not in section
        assert '<a href="#comparison">' in page
    assert 'id="comparison"' not in render([full()], plotlyjs="cdn")


def test_the_method_of_ones_own_code_claims_no_fresh_processes() -> None:
    ours, own = run_file(), run_file(id="20261101T130000Z-a1b3")
    own = own.model_copy(update={"run": own.run.model_copy(update={"profile": "own"})})
    said = {
        name: " ".join(Page(render(runs, plotlyjs="cdn")).text)
        for name, runs in (("ours", [ours]), ("own", [own]), ("both", [ours, own]))
    }
    fresh, marked = "trial is a fresh process", "work is one's own code"
    assert {name: (fresh in text, marked in text) for name, text in said.items()} == {
        "ours": (True, False), "own": (False, True), "both": (True, True)}  # fmt: skip
    assert "In run B the work is one's own code" in said["both"]


def test_energy_at_rest_that_is_not_known_is_that_of_named_components() -> None:
    text = " ".join(Page(render([full()], plotlyjs="cdn")).text)
    assert "what dram draws at rest is not known" in text


def test_notes_name_a_few_things_and_count_the_rest() -> None:
    assert listed("Lost", []) == ""
    assert listed("Lost", ["a", "b"]) == "Lost: a; b."
    assert listed("Lost", list("abcdef")) == "Lost: a; b; c; d; and 2 more."


def test_one_trial_a_case_says_nothing_of_how_trials_vary() -> None:
    text = " ".join(Page(render([summarised(run_file(cases(rounds=1)))], plotlyjs="cdn")).text)
    assert "One trial of each of 6 cases, so that how trials vary is not known" in text
    assert "0.0% off" not in text
