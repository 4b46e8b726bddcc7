"""How well change points are found: simulated histories of 60 runs with one change, and flat ones without any.

`python -m studies.history flat|power|latency|pictures ...` continues where docs/results/history-SECTION.json
ends; delete the file to start again. `pictures` draws docs/pictures/history-*.svg from them (needs kaleido and Chrome).
Goal: at most 1 % of flat histories of independent runs raise a change point (the upper end of the exact 95 % interval
may lie above, the lower end may not).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy import stats

from joulemark.suite.stats.change_points import find_change_points

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results"
PICTURES = ROOT / "docs" / "pictures"
SIMULATIONS = 2000
FEWER_SIMULATIONS = 400
"""Simulations of each row beside the main results."""
RUNS = 60
CHANGES = (1.04, 1.08)
"""Level after over level before."""
DEVIATIONS = (0.01, 0.02, 0.03, 0.04, 0.05)
"""Standard deviations between runs on the log scale, which are about coefficients of variation."""
SD = 0.03
"""Standard deviation in the sections that do not vary it."""

Noise = Callable[[np.random.Generator, int, float], np.ndarray]


def normal(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Return independent normal runs."""
    return generator.normal(0, sd, runs)


def heavy(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Return Student's t with 3 degrees of freedom, scaled to `sd`, in which outliers are common."""
    return sd * generator.standard_t(3, runs) / math.sqrt(3)


def skewed(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Return exponential runs: a floor, and a tail of slow runs."""
    return sd * (generator.exponential(1, runs) - 1)


def with_outliers(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Return normal runs of which one in 30 is 30 % slower."""
    return generator.normal(0, sd, runs) - 0.3 * (generator.random(runs) < 1 / 30)


def drifting(correlation: float) -> Noise:
    """Return a first-order autoregression: each run keeps that share of the deviation of the run before."""

    def noise(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
        deviations = generator.normal(0, sd, runs)
        for i in range(1, runs):
            deviations[i] = correlation * deviations[i - 1] + math.sqrt(1 - correlation**2) * deviations[i]
        return deviations

    return noise


INDEPENDENT: dict[str, Noise] = {
    "normal": normal,
    "heavy tails (t, 3 degrees)": heavy,
    "skewed (exponential)": skewed,
    "1 run in 30 off by 30 %": with_outliers,
}
DEPENDENT: dict[str, Noise] = {f"drifting, correlation {rho}": drifting(rho) for rho in (0.1, 0.2, 0.4)}


def flat_rows() -> dict[str, Callable[[np.random.Generator], dict]]:
    """Return simulations of the share of flat histories that raise a change point, by noise and length."""

    def row(name: str, noise: Noise, runs: int, generator: np.random.Generator) -> dict:
        raised = sum(bool(find_change_points(np.exp(noise(generator, runs, SD)))) for _ in range(SIMULATIONS))
        interval = stats.binomtest(raised, SIMULATIONS).proportion_ci(method="exact")
        ends = [float(interval.low), float(interval.high)]
        return {"noise": name, "runs": runs, "raised": raised, "of": SIMULATIONS, "interval": ends}

    noises = {**INDEPENDENT, **DEPENDENT}
    return {
        f"flat, {runs} runs, {name}": partial(row, name, noise, runs)
        for runs in (RUNS, 20)
        for name, noise in noises.items()
    }


def power_rows() -> dict[str, Callable[[np.random.Generator], dict]]:
    """Return simulations of how often a change is found, and how far off, by its size and the deviation of runs."""
    settings = [("normal", sd) for sd in sorted(DEVIATIONS, key=lambda sd: sd != SD)] + [
        (name, SD) for name in INDEPENDENT if name != "normal"
    ]
    return {
        f"{change - 1:.0%} step, {name}, deviation {sd:.0%}": partial(one_change, name, change, sd)
        for name, sd in settings
        for change in CHANGES
    }


def one_change(name: str, change: float, sd: float, generator: np.random.Generator) -> dict:
    """Simulate histories with one change at a random run, at least 10 runs from both ends."""
    errors: list[int] = []
    more_than_one = 0
    simulations = SIMULATIONS if name == "normal" and sd == SD else FEWER_SIMULATIONS
    for _ in range(simulations):
        logs, index = INDEPENDENT[name](generator, RUNS, sd), int(generator.integers(10, RUNS - 9))
        logs[index:] += math.log(change)
        found = [point.index for point in find_change_points(np.exp(logs))]
        more_than_one += len(found) > 1
        if found:
            errors.append(min((each - index for each in found), key=abs))
    sizes = np.abs(errors)
    return {
        "noise": name,
        "step": change,
        "sd": sd,
        "of": simulations,
        "found": len(errors),
        "more_than_one": more_than_one,
        "exact": int(np.sum(sizes == 0)),
        "within_1": int(np.sum(sizes <= 1)),
        "within_3": int(np.sum(sizes <= 3)),
        "error_90": float(np.quantile(sizes, 0.9)) if errors else None,
    }


def latency_rows() -> dict[str, Callable[[np.random.Generator], dict]]:
    """Return simulations of how often a change is found so many runs later, with 40 runs before it."""

    def row(change: float, after: int, generator: np.random.Generator) -> dict:
        hits = 0
        for _ in range(FEWER_SIMULATIONS // 2):
            logs = normal(generator, 40 + after, SD)
            logs[40:] += math.log(change)
            hits += any(abs(point.index - 40) <= 3 for point in find_change_points(np.exp(logs)))
        return {"step": change, "after": after, "found": hits, "of": FEWER_SIMULATIONS // 2}

    return {
        f"{change - 1:.0%} step, {after} runs later": partial(row, change, after)
        for change in (*CHANGES, 1.2)
        for after in (3, 4, 5, 6, 8, 10, 15, 20)
    }


SECTIONS = {"flat": flat_rows, "power": power_rows, "latency": latency_rows}


def pictures(results: dict) -> None:
    """Draw detection and error by deviation, and detection by runs since the change."""
    from plotly.graph_objects import Figure
    from plotly.subplots import make_subplots

    colours = dict(zip((*CHANGES, 1.2), ("#0072B2", "#D55E00", "#009E73"), strict=True))
    both = make_subplots(1, 2, subplot_titles=("found", "error of those found"), horizontal_spacing=0.1)
    for change in CHANGES:
        rows = sorted(
            (r for r in results["power"] if r["step"] == change and r["noise"] == "normal"), key=lambda r: r["sd"]
        )
        percent = [100 * row["sd"] for row in rows]
        line = {"color": colours[change]}
        name = f"{change - 1:.0%} change"
        both.add_scatter(x=percent, y=[100 * r["found"] / r["of"] for r in rows], name=name, line=line, row=1, col=1)
        for key, dash, text in (("exact", "solid", "exact"), ("within_3", "dot", "within 3 runs")):
            y = [100 * row[key] / row["found"] for row in rows]
            both.add_scatter(x=percent, y=y, name=f"{name}, {text}", line={**line, "dash": dash}, row=1, col=2)
    both.update_xaxes(title="standard deviation between runs, %")
    both.update_yaxes(title="% of histories of 60 runs", range=[0, 101], row=1, col=1)
    both.update_yaxes(title="% of the changes found", range=[0, 101], row=1, col=2)
    late = Figure()
    for change in (*CHANGES, 1.2):
        rows = [row for row in results["latency"] if row["step"] == change]
        y = [100 * row["found"] / row["of"] for row in rows]
        late.add_scatter(
            x=[row["after"] for row in rows], y=y, name=f"{change - 1:.0%} change", line={"color": colours[change]}
        )
    late.update_xaxes(title=f"runs since the change (40 before it, deviation between runs {SD:.0%})")
    late.update_yaxes(title="found, % of histories", range=[0, 101])
    for name, figure in (("history-power", both), ("history-latency", late)):
        figure.update_layout(
            template="plotly_white", width=900, height=380, margin={"l": 60, "r": 20, "t": 40, "b": 50}
        )
        figure.write_image(PICTURES / f"{name}.svg")


def results_path(section: str) -> Path:
    return RESULTS / f"history-{section}.json"


def kept_rows(section: str) -> list[dict]:
    """Return the rows of a section that were simulated before."""
    path = results_path(section)
    return json.loads(path.read_text()) if path.exists() else []


def main(sections: list[str]) -> bool:
    """Simulate the missing rows of `sections`; return whether flat histories meet the goal."""
    for section in sections:
        if section == "pictures":
            pictures({name: kept_rows(name) for name in ("power", "latency")})
            continue
        rows = kept_rows(section)
        for number, (name, simulate) in enumerate(SECTIONS[section]().items()):
            if any(row["name"] == name for row in rows):
                continue
            rows.append({"name": name, **simulate(np.random.default_rng([sum(section.encode()), number]))})
            print(rows[-1], flush=True)
            results_path(section).write_text(json.dumps(rows, indent=1) + "\n")
    return all(row["interval"][0] <= 0.01 for row in kept_rows("flat") if row["noise"] in INDEPENDENT)


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:] or [*SECTIONS]) else 1)
