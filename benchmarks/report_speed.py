"""The cost of a page, in bytes and seconds: for a run shaped like profile `quick`, and for 500 cases with traces.

Budgets: quick 5.5 MB embedded, 400 kB without Plotly, 2 s; 500 cases 8 MB, 5 s, first chart painted in 1.5 s; time per
case with 500 cases at most 1.5 times that with 100 (linear). Seconds are budgets for one machine, not ratios: a machine
half as fast may miss them. Painting needs playwright and Chromium, and is skipped without them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from report_files import summarised, trials
from run_files import case, run_file, trace

from benchmarks.browser import BrowserNotFoundError, chromium
from benchmarks.ratios import report
from joulemark.reports.html import render
from joulemark.suite.carbon import ember
from joulemark.suite.records import Probe, RunFile

ROUNDS = 5
ZONES = tuple(ember.countries().values())
PHASES = ("inference", "training")
MODES = (("pytorch", "eager"), ("pytorch", "compile"), ("tensorflow", "graph"), ("tensorflow", "xla"))

# Charts are drawn when they come near the viewport; scrolling to the first one draws it at once, as a link to it does.
_TIME_FIRST_CHART = """
window.firstChart = 0;
addEventListener('DOMContentLoaded', () => document.querySelector('.plot').scrollIntoView());
new MutationObserver((changes, observer) => {
  if (!document.querySelector('.plot .main-svg')) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.firstChart = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""


def run_of(case_count: int, trace_count: int) -> RunFile:
    """Return a run of `case_count` cases in three rounds, with traces of five minutes at 10 Hz."""
    cases = []
    for i in range(case_count):
        framework, mode = MODES[i % len(MODES)]
        phase = PHASES[i // len(MODES) % len(PHASES)]
        name = f"workload{i // (len(MODES) * len(PHASES))}"
        cases.append(case(name, framework, mode, phase, trials=trials(100.0 + i, 50.0, 5.0 + 0.2 * i)))
    probes = tuple(
        Probe(framework=name, device="cpu", precision="fp32", threads=2, flops_per_s=2.4e11, bytes_per_s=2e10)
        for name in ("pytorch", "tensorflow")
    )
    return summarised(run_file(cases, probes=probes, traces=tuple(trace(300.0) for _ in range(trace_count))))


def render_s(run: RunFile) -> float:
    """Return the median time to render the page of `run`, seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        render([run], zones=ZONES)
        times.append(time.monotonic() - start)
    return statistics.median(times)


def first_chart_s(pages: Sequence[str]) -> list[float]:
    """Return, for each page, the median seconds from request to first chart on screen. Raises BrowserNotFoundError."""
    medians = []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for number, page in enumerate(pages):
            path = Path(folder) / f"{number}.html"
            path.write_text(page, encoding="utf-8")
            tab = browser.new_page(viewport={"width": 1200, "height": 900})
            tab.add_init_script(_TIME_FIRST_CHART)
            times = []
            for _ in range(ROUNDS):
                tab.goto("about:blank")
                tab.goto(path.as_uri())
                while not tab.evaluate("window.firstChart"):  # the page's security policy forbids wait_for_function
                    time.sleep(0.02)
                times.append(tab.evaluate("window.firstChart") / 1000)
            medians.append(statistics.median(times))
            tab.close()
    return medians


def within(name: str, value: float, budget: float, text: Callable[[float], str]) -> bool:
    """Print one line; return whether `value` is within `budget`."""
    return report(name, text(value), f"<= {text(budget)}", value <= budget)


def megabytes(size: float) -> str:
    """Return a size in bytes as text."""
    return f"{size / 1e6:.2f} MB"


def seconds(duration: float) -> str:
    """Return a duration as text."""
    return f"{duration:.2f} s"


def main() -> bool:
    """Print all costs; return whether each is within its budget."""
    render([run_of(2, 1)], zones=ZONES)  # imports, templates and Plotly's source are read only once
    quick, large = run_of(12, 1), run_of(500, 8)
    pages = [render([run], zones=ZONES) for run in (quick, large)]
    ratio = (render_s(run_of(500, 2)) / 500) / (render_s(run_of(100, 2)) / 100)
    met = [
        within("quick, embedded", len(pages[0].encode()), 5.5e6, megabytes),
        within("quick, without Plotly", len(render([quick], "cdn", zones=ZONES).encode()), 4e5, megabytes),
        within("quick, rendering", render_s(quick), 2.0, seconds),
        within("500 cases, 8 channels, embedded", len(pages[1].encode()), 8e6, megabytes),
        within("500 cases, 8 channels, rendering", render_s(large), 5.0, seconds),
        within("rendering time per case, 500 / 100 cases", ratio, 1.5, lambda value: f"{value:.2f}"),
    ]
    try:
        painted_s = first_chart_s(pages)
    except BrowserNotFoundError as error:
        report("first chart", f"not measured: {error}")
    else:
        names = ("quick, first chart", "500 cases, first chart")
        met += [within(name, value, 1.5, seconds) for name, value in zip(names, painted_s, strict=True)]
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
