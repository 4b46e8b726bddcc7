"""What `joulemark calibrate` says of its runs: plain data, and a table of it for a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile
    from joulemark.suite.stats.detectable_effect import Calibration
    from joulemark.suite.terminal.tables import AdaptiveTable


def document(runs: Sequence[RunFile], allow_estimates: bool) -> dict[str, Any]:
    """What `runs` say, by metric. NotComparableError where no metric has enough of them."""
    from joulemark.suite.errors import NotComparableError
    from joulemark.suite.stats.detectable_effect import calibrate
    from joulemark.suite.stats.drift import MIN_RUNS
    from joulemark.suite.stats.metrics import METRICS

    found: dict[str, Calibration] = {}
    reasons: dict[str, str] = {}
    for key, metric in METRICS.items():
        one = calibrate(runs, key)
        if one is None:
            reasons[key] = f"fewer than {MIN_RUNS} runs have two values of it in the same case"
        elif metric.energy and _estimated(runs) and not allow_estimates:
            reasons[key] = "it was estimated, not measured; --allow-estimates takes it all the same"
        else:
            found[key] = one
    if not found:
        alike = sum(run.machine.fingerprint == runs[-1].machine.fingerprint for run in runs)
        raise NotComparableError(
            f"{len(runs)} runs, {alike} of them of the last one's machine, have too little in common: it takes "
            f"{MIN_RUNS} of the same cases and versions with 2 trials each. Run `joulemark calibrate`."
        )
    return {
        "runs": [run.run.id for run in runs],
        "metrics": {key: _facts(found[key], runs) if key in found else {"reason": reasons[key]} for key in METRICS},
        "proposed": _proposed(found),
    }


def _estimated(runs: Sequence[RunFile]) -> bool:
    from joulemark.suite.energy.attribution import is_estimated

    return any(is_estimated(case) for run in runs for case in run.cases)


def _facts(one: Calibration, runs: Sequence[RunFile]) -> dict[str, Any]:
    from joulemark.suite.stats.detectable_effect import self_comparison

    parts = one.components
    return {
        "runs": one.runs,
        "cases": list(parts.cases),
        "trial_variation": math.sqrt(parts.trials.value),
        "run_variation": math.sqrt(parts.hedges_estimate),
        "run_variation_used": math.sqrt(parts.runs.value),
        "share_of_runs": parts.share_of_runs,
        "turn_by_turn": [asdict(reach) for reach in one.turn_by_turn],
        "stored": [asdict(reach) for reach in one.stored],
        "verdicts": self_comparison(runs, one.metric, parts.runs),
    }


def _proposed(found: Mapping[str, Calibration]) -> dict[str, Any]:
    """The fewest rounds that do for the usual threshold turn by turn, and the thresholds there in whole per cents."""
    from joulemark.suite.stats.detectable_effect import ROUNDS
    from joulemark.suite.stats.thresholds import THRESHOLD

    worst = [max(one.turn_by_turn[i].threshold for one in found.values()) for i in range(len(ROUNDS))]
    place = next((i for i, threshold in enumerate(worst) if threshold <= THRESHOLD), len(ROUNDS) - 1)

    def percent(value: float) -> float:
        return max(1, math.ceil(100 * value)) / 100

    return {
        "rounds": ROUNDS[place],
        "turn_by_turn": {key: percent(one.turn_by_turn[place].threshold) for key, one in found.items()},
        "stored": {key: percent(one.stored[place].threshold) for key, one in found.items()},
    }


def show(document: Mapping[str, Any]) -> None:
    """Print a document of `document`."""
    from joulemark.suite.stats.metrics import METRICS
    from joulemark.suite.terminal import console

    parts: list[Any] = [f"{len(document['runs'])} runs, {document['runs'][0]} to {document['runs'][-1]}"]
    for key, facts in document["metrics"].items():
        title = METRICS[key].title
        if "reason" in facts:
            parts += ["", f"{title}: {facts['reason']}."]
            continue
        parts += ["", f"{title}: {_noise(facts)}", _table(facts)]
    console.print_text(*parts, "", *_advice(document["proposed"]))


def _noise(facts: Mapping[str, Any]) -> str:
    share = facts["share_of_runs"]
    verdicts = ", ".join(f"{count} {name}" for name, count in facts["verdicts"].items() if name != "regressed")
    lies = "nothing varies" if share is None else f"{share:.0%} of the variance of a trial lies between runs"
    return (
        f"processes vary by {facts['trial_variation']:.1%} (standard deviation), runs by {facts['run_variation']:.1%} "
        f"beyond that: {lies}.\nEach run against the one before: {verdicts}; {facts['verdicts']['regressed']} alarms. "
        "Every difference among them is false."
    )


def _table(facts: Mapping[str, Any]) -> AdaptiveTable:
    from joulemark.suite.terminal.tables import AdaptiveTable, Column

    titles = [
        f"{how}\n{title}"
        for how in ("turn by turn", "against a kept run")
        for title in ("tells apart", "equal is `same` from", "fires at")
    ]
    shown = AdaptiveTable("Rounds\na side", *(Column(title, right=True) for title in titles))
    for one, other in zip(facts["turn_by_turn"], facts["stored"], strict=True):
        cells = [reach[name] for reach in (one, other) for name in ("told_apart", "threshold", "fires_at")]
        shown.add(str(one["rounds"]), *(f"{cell:.1%}" for cell in cells))
    return shown


def _advice(proposed: Mapping[str, Any]) -> list[str]:
    """What to type."""
    lines = [f"Proposed: --rounds {proposed['rounds']} and, in joulemark.toml or as --threshold METRIC:PERCENT,"]
    for how, words in (("turn_by_turn", "where sides take turns"), ("stored", "against a kept run")):
        # A threshold that only a halving passes gates nothing: better said than set.
        texts = {key: f"{value:.0%}" if value <= 1 else "off" for key, value in proposed[how].items()}
        given = ", ".join(f'{key} = "{text}"' for key, text in texts.items())
        lines.append(f"  thresholds = {{ {given} }}  # {words}")
    return lines
