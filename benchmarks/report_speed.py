"""What a page costs: bytes and seconds, for a run of the `quick` profile's shape and for 500 cases with traces.

Budgets: quick 5.5 MB embedded, 400 kB without the library, 2 s; 500 cases 8 MB, 5 s, first chart painted in 1.5 s;
time per case at 500 cases at most 1.5 times that at 100 (linear). Seconds are budgets of one machine and not ratios:
they are printed, and a machine half as fast may miss them. Painting needs playwright and Chromium; without them it is
left out, and said.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from joulemark.reports.html import render
from joulemark.suite.carbon import ember
from joulemark.suite.records import Probe, RunFile

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from report_files import summarised, trials
from run_files import case, run_file, trace

ROUNDS = 5
NAMES = ("quick", "500 cases")
ZONES = tuple(ember.countries().values())
PHASES = ("inference", "training")
MODES = (("pytorch", "eager"), ("pytorch", "compile"), ("tensorflow", "graph"), ("tensorflow", "xla"))


def of_cases(count: int, traces: int) -> RunFile:
    """A run of `count` cases in three rounds with `traces` traces of five minutes at 10 Hz."""
    found = []
    for i in range(count):
        framework, mode = MODES[i % len(MODES)]
        phase = PHASES[i // len(MODES) % len(PHASES)]
        name = f"workload{i // (len(MODES) * len(PHASES))}"
        found.append(case(name, framework, mode, phase, trials=trials(100.0 + i, 50.0, 5.0 + 0.2 * i)))
    probes = tuple(
        Probe(framework=name, device="cpu", precision="fp32", threads=2, flops_per_s=2.4e11, bytes_per_s=2e10)
        for name in ("pytorch", "tensorflow")
    )
    return summarised(run_file(found, probes=probes, traces=tuple(trace(300.0) for _ in range(traces))))


def seconds(run: RunFile) -> float:
    """Median time of rendering `run`, seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        render([run], zones=ZONES)
        times.append(time.monotonic() - start)
    return statistics.median(times)


def painted(pages: Sequence[str]) -> list[float] | None:
    """Median seconds from the request of each page to its first chart on the screen; None without a browser."""
    browser = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if browser is None:
        return None
    found = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for number, page in enumerate(pages):
            path = Path(folder) / f"{number}.html"
            path.write_text(page, encoding="utf-8")
            window = chromium.new_page(viewport={"width": 1200, "height": 900})
            window.add_init_script(_WATCH)
            times = []
            for _ in range(ROUNDS):
                window.goto("about:blank")
                window.goto(path.as_uri())
                while not window.evaluate("window.firstChart"):  # the page's own policy forbids waiting by script text
                    time.sleep(0.02)
                times.append(window.evaluate("window.firstChart") / 1000)
            found.append(statistics.median(times))
            window.close()
        chromium.close()
    return found


# Charts are drawn when they come near the screen: the first one is brought there at once, as by a link to it.
_WATCH = """
window.firstChart = 0;
addEventListener('DOMContentLoaded', () => document.querySelector('.plot').scrollIntoView());
new MutationObserver((changes, observer) => {
  if (!document.querySelector('.plot .main-svg')) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.firstChart = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""


def goal(name: str, value: float, limit: float, show: Callable[[float], str]) -> bool:
    """Print one line; whether `value` is within `limit`."""
    met = value <= limit
    print(f"{name}: {show(value)} (budget {show(limit)}) {'ok' if met else 'MISSED'}")
    return met


def main() -> bool:
    """Print all budgets; whether every one is kept."""
    render([of_cases(2, 1)], zones=ZONES)  # imports, templates and Plotly's library are read once
    quick, hundred, many = of_cases(12, 1), of_cases(100, 2), of_cases(500, 8)
    pages = [render([run], zones=ZONES) for run in (quick, many)]
    quick_s, hundred_s, many_s = seconds(quick), seconds(hundred), seconds(of_cases(500, 2))

    def megabytes(size: float) -> str:
        return f"{size / 1e6:.2f} MB"

    def wall(duration: float) -> str:
        return f"{duration:.2f} s"

    met = [
        goal("quick, embedded", len(pages[0].encode()), 5.5e6, megabytes),
        goal("quick, without the library", len(render([quick], "cdn", zones=ZONES).encode()), 4e5, megabytes),
        goal("quick, rendered in", quick_s, 2.0, wall),
        goal("500 cases, 8 channels, embedded", len(pages[1].encode()), 8e6, megabytes),
        goal("500 cases, 8 channels, rendered in", seconds(many), 5.0, wall),
        goal("time a case, 500 over 100", (many_s / 500) / (hundred_s / 100), 1.5, lambda ratio: f"{ratio:.2f}"),
    ]
    first = painted(pages)
    if first is None:
        print("first chart: not measured, playwright or Chromium is missing")
    else:
        met += [
            goal(f"{name}, first chart", x, 1.5, wall) for name, x in zip(("quick", "500 cases"), first, strict=True)
        ]
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
