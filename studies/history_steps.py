"""How well steps are found: simulated histories of 60 runs with a known step, and flat ones that must raise nothing.

`python -m studies.history_steps flat|power|latency|pictures ...`: goes on where docs/results/history-PART.json
ends; delete it to begin anew. `pictures` draws docs/pictures/history-*.svg from it (needs kaleido and Chrome).
Goal: flat histories of independent runs raise a step in 1 % of cases at most (the upper end of the exact 95 % interval
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
FEWER = 400
"""For what surrounds the main results."""
RUNS = 60
STEPS = (1.04, 1.08)
DEVIATIONS = (0.01, 0.02, 0.03, 0.04, 0.05)
"""Standard deviations between runs on the log scale: about the coefficient of variation."""
SD = 0.03
"""Of the parts that do not vary it."""

Noise = Callable[[np.random.Generator, int, float], np.ndarray]


def normal(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Independent runs."""
    return generator.normal(0, sd, runs)


def heavy(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Student's t with 3 degrees of freedom, scaled to `sd`: single runs far off are common."""
    return sd * generator.standard_t(3, runs) / math.sqrt(3)


def skewed(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Exponential: a floor, and a tail of slow runs."""
    return sd * (generator.exponential(1, runs) - 1)


def far_off(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
    """Normal, and one run in 30 is slower by 30 %."""
    return generator.normal(0, sd, runs) - 0.3 * (generator.random(runs) < 1 / 30)


def drifting(correlation: float) -> Noise:
    """A first-order autoregression: each run keeps that part of what the run before was off."""

    def noise(generator: np.random.Generator, runs: int, sd: float) -> np.ndarray:
        found = generator.normal(0, sd, runs)
        for i in range(1, runs):
            found[i] = correlation * found[i - 1] + math.sqrt(1 - correlation**2) * found[i]
        return found

    return noise


INDEPENDENT: dict[str, Noise] = {
    "normal": normal,
    "heavy tails (t, 3 degrees)": heavy,
    "skewed (exponential)": skewed,
    "1 run in 30 off by 30 %": far_off,
}
DEPENDENT: dict[str, Noise] = {f"drifting, correlation {rho}": drifting(rho) for rho in (0.1, 0.2, 0.4)}


def flat_rows() -> dict[str, Callable[[np.random.Generator], dict]]:
    """The share of flat histories that raise a step, by noise and length."""

    def row(name: str, noise: Noise, runs: int, generator: np.random.Generator) -> dict:
        raised = sum(bool(find_change_points(np.exp(noise(generator, runs, SD)))) for _ in range(SIMULATIONS))
        interval = stats.binomtest(raised, SIMULATIONS).proportion_ci(method="exact")
        ends = [float(interval.low), float(interval.high)]
        return {"noise": name, "runs": runs, "raised": raised, "of": SIMULATIONS, "interval": ends}

    every = {**INDEPENDENT, **DEPENDENT}
    return {
        f"flat, {runs} runs, {name}": partial(row, name, noise, runs)
        for runs in (RUNS, 20)
        for name, noise in every.items()
    }


def power_rows() -> dict[str, Callable[[np.random.Generator], dict]]:
    """By size of the step and deviation between runs: how often it is found, and how far off its place."""
    settings = [("normal", sd) for sd in sorted(DEVIATIONS, key=lambda sd: sd != SD)] + [
        (name, SD) for name in INDEPENDENT if name != "normal"
    ]
    return {
        f"{step - 1:.0%} step, {name}, deviation {sd:.0%}": partial(planted, name, step, sd)
        for name, sd in settings
        for step in STEPS
    }


def planted(name: str, step: float, sd: float, generator: np.random.Generator) -> dict:
    """Histories with one step at a random place, 10 runs at least from both ends."""
    errors: list[int] = []
    more = 0
    simulations = SIMULATIONS if name == "normal" and sd == SD else FEWER
    for _ in range(simulations):
        logs, at = INDEPENDENT[name](generator, RUNS, sd), int(generator.integers(10, RUNS - 9))
        logs[at:] += math.log(step)
        places = [one.index for one in find_change_points(np.exp(logs))]
        more += len(places) > 1
        if places:
            errors.append(min((place - at for place in places), key=abs))
    sizes = np.abs(errors)
    return {
        "noise": name,
        "step": step,
        "sd": sd,
        "of": simulations,
        "found": len(errors),
        "more_than_one": more,
        "exact": int(np.sum(sizes == 0)),
        "within_1": int(np.sum(sizes <= 1)),
        "within_3": int(np.sum(sizes <= 3)),
        "error_90": float(np.quantile(sizes, 0.9)) if errors else None,
    }


def latency_rows() -> dict[str, Callable[[np.random.Generator], dict]]:
    """How often a step is found so many runs after it came, with 40 runs before it."""

    def row(step: float, after: int, generator: np.random.Generator) -> dict:
        hits = 0
        for _ in range(FEWER // 2):
            logs = normal(generator, 40 + after, SD)
            logs[40:] += math.log(step)
            hits += any(abs(one.index - 40) <= 3 for one in find_change_points(np.exp(logs)))
        return {"step": step, "after": after, "found": hits, "of": FEWER // 2}

    return {
        f"{step - 1:.0%} step, {after} runs later": partial(row, step, after)
        for step in (*STEPS, 1.2)
        for after in (3, 4, 5, 6, 8, 10, 15, 20)
    }


PARTS = {"flat": flat_rows, "power": power_rows, "latency": latency_rows}


def pictures(results: dict) -> None:
    """Detection and place by deviation; detection by runs since the step."""
    from plotly.graph_objects import Figure
    from plotly.subplots import make_subplots

    colours = dict(zip((*STEPS, 1.2), ("#0072B2", "#D55E00", "#009E73"), strict=True))
    both = make_subplots(1, 2, subplot_titles=("found", "place of those found"), horizontal_spacing=0.1)
    for step in STEPS:
        rows = sorted(
            (r for r in results["power"] if r["step"] == step and r["noise"] == "normal"), key=lambda r: r["sd"]
        )
        percent = [100 * row["sd"] for row in rows]
        line = {"color": colours[step]}
        name = f"{step - 1:.0%} step"
        both.add_scatter(x=percent, y=[100 * r["found"] / r["of"] for r in rows], name=name, line=line, row=1, col=1)
        for key, dash, words in (("exact", "solid", "exact"), ("within_3", "dot", "within 3 runs")):
            y = [100 * row[key] / row["found"] for row in rows]
            both.add_scatter(x=percent, y=y, name=f"{name}, {words}", line={**line, "dash": dash}, row=1, col=2)
    both.update_xaxes(title="standard deviation between runs, %")
    both.update_yaxes(title="% of histories of 60 runs", range=[0, 101], row=1, col=1)
    both.update_yaxes(title="% of the steps found", range=[0, 101], row=1, col=2)
    late = Figure()
    for step in (*STEPS, 1.2):
        rows = [row for row in results["latency"] if row["step"] == step]
        y = [100 * row["found"] / row["of"] for row in rows]
        late.add_scatter(
            x=[row["after"] for row in rows], y=y, name=f"{step - 1:.0%} step", line={"color": colours[step]}
        )
    late.update_xaxes(title=f"runs since the step (40 before it, deviation between runs {SD:.0%})")
    late.update_yaxes(title="found, % of histories", range=[0, 101])
    for name, figure in (("history-power", both), ("history-latency", late)):
        figure.update_layout(
            template="plotly_white", width=900, height=380, margin={"l": 60, "r": 20, "t": 40, "b": 50}
        )
        figure.write_image(PICTURES / f"{name}.svg")


def file(part: str) -> Path:
    """Where the results of a part are."""
    return RESULTS / f"history-{part}.json"


def kept(part: str) -> list[dict]:
    """The results of a part that are there."""
    return json.loads(file(part).read_text()) if file(part).exists() else []


def main(parts: list[str]) -> bool:
    """Simulate what is not there yet of the `parts`; whether flat histories raise no more than they may."""
    for part in parts:
        if part == "pictures":
            pictures({name: kept(name) for name in ("power", "latency")})
            continue
        rows = kept(part)
        for number, (name, simulate) in enumerate(PARTS[part]().items()):
            if any(row["name"] == name for row in rows):
                continue
            rows.append({"name": name, **simulate(np.random.default_rng([sum(part.encode()), number]))})
            print(rows[-1], flush=True)
            file(part).write_text(json.dumps(rows, indent=1) + "\n")
    return all(row["interval"][0] <= 0.01 for row in kept("flat") if row["noise"] in INDEPENDENT)


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:] or [*PARTS]) else 1)
