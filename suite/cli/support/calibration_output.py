"""The results of `joulemark calibrate`, as plain data and as a table for a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from rich.console import RenderableType

from joulemark.suite.cli.support.effort_choice import effort_lines
from joulemark.suite.energy.attribution import is_estimated
from joulemark.suite.errors import NotComparableError
from joulemark.suite.records import RunFile
from joulemark.suite.stats.between_runs.ages import drift_by_age, time_of_day
from joulemark.suite.stats.between_runs.reference import fit_references
from joulemark.suite.stats.detectable_effect import ROUNDS, Calibration, calibrate, detectable_effect, self_comparison
from joulemark.suite.stats.drift import MIN_RUNS
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.thresholds import THRESHOLD
from joulemark.suite.stats.variance import Variance
from joulemark.suite.terminal.tables import AdaptiveTable, Column


def calibration_document(runs: Sequence[RunFile], allow_estimates: bool) -> dict[str, Any]:
    """Return what `runs` show about each metric. NotComparableError if no metric has enough of them."""
    calibrations: dict[str, Calibration] = {}
    reasons: dict[str, str] = {}
    metrics = {
        key: metric
        for key, metric in METRICS.items()
        if metric.phase is None or any(metric.belongs_to(case) for run in runs for case in run.cases)
    }
    for key, metric in metrics.items():
        calibration = calibrate(runs, key)
        if calibration is None:
            reasons[key] = f"fewer than {MIN_RUNS} runs have two values of it in the same case"
        elif metric.energy and _is_estimated(runs) and not allow_estimates:
            reasons[key] = "it was estimated, not measured; --allow-estimates includes it"
        else:
            calibrations[key] = calibration
    if not calibrations:
        same_machine = sum(run.machine.fingerprint == runs[-1].machine.fingerprint for run in runs)
        raise NotComparableError(
            f"{len(runs)} runs, {same_machine} of them from the machine of the last one, have too little in common: "
            f"calibration needs {MIN_RUNS} runs of the same cases and versions with 2 trials each. "
            "Run `joulemark calibrate`."
        )
    documents = {
        key: _metric_document(calibrations[key], runs) if key in calibrations else {"reason": reasons[key]}
        for key in metrics
    }
    proposed = _proposal({key: documents[key] for key in calibrations})
    return {"runs": [run.run.id for run in runs], "metrics": documents, "proposed": proposed}


def _is_estimated(runs: Sequence[RunFile]) -> bool:
    return any(is_estimated(case) for run in runs for case in run.cases)


def _metric_document(calibration: Calibration, runs: Sequence[RunFile]) -> dict[str, Any]:
    components = calibration.components
    return {
        "runs": calibration.runs,
        "cases": list(components.cases),
        "trial_variation": math.sqrt(components.trials.value),
        "run_variation": math.sqrt(components.hedges_estimate),
        "run_variation_used": math.sqrt(components.runs.value),
        "share_of_runs": components.share_of_runs,
        "turn_by_turn": [asdict(effect) for effect in calibration.turn_by_turn],
        "stored": [asdict(effect) for effect in calibration.stored],
        "reference": _reference_document(calibration, runs),
        "by_age": [
            {"apart": each.apart, "runs": each.runs, "run_variation": math.sqrt(each.value)}
            for each in drift_by_age(runs, calibration.metric)
        ],
        "time_of_day": asdict(hours) if (hours := time_of_day(runs, calibration.metric)) is not None else None,
        "verdicts": self_comparison(runs, calibration.metric, components.runs),
    }


def _reference_document(calibration: Calibration, runs: Sequence[RunFile]) -> dict[str, Any] | None:
    """Return how cases follow the machine's reference, and what a kept run detects without its part; None without."""
    references = fit_references(runs, runs)
    levels = [references.levels[run.run.id].log_speed for run in runs if run.run.id in references.levels]
    fits = {case: fit for (metric, case), fit in references.fits.items() if metric == calibration.metric}
    following = [fit.residual for fit in fits.values() if fit.slope]
    if len(levels) < MIN_RUNS or not fits:
        return None
    left = Variance(fmean(each.value for each in following), following[0].degrees) if following else None
    trials = calibration.components.trials
    return {
        "variation": standard_deviation(levels),
        "slopes": {case: fit.slope for case, fit in fits.items()},
        "run_variation_left": None if left is None else math.sqrt(left.value),
        "stored": [] if left is None else [asdict(detectable_effect(trials, rounds, left)) for rounds in ROUNDS],
    }


def _proposal(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fewest rounds that reach the default threshold turn by turn, and thresholds in whole per cents."""
    largest = [max(facts["turn_by_turn"][i]["threshold"] for facts in metrics.values()) for i in range(len(ROUNDS))]
    index = next((i for i, threshold in enumerate(largest) if threshold <= THRESHOLD), len(ROUNDS) - 1)

    def percent(value: float) -> float:
        return max(1, math.ceil(100 * value)) / 100

    return {
        "rounds": ROUNDS[index],
        "turn_by_turn": {key: percent(facts["turn_by_turn"][index]["threshold"]) for key, facts in metrics.items()},
        "stored": {key: percent(_stored(facts)[index]["threshold"]) for key, facts in metrics.items()},
    }


def _stored(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what a kept run detects of all cases: without the reference's part where each of them follows it."""
    reference = facts["reference"]
    divided = reference is not None and all(reference["slopes"].values())
    effects: Sequence[Mapping[str, Any]] = reference["stored"] if divided else facts["stored"]
    return effects


def calibration_text(document: Mapping[str, Any]) -> list[RenderableType]:
    """Return a document of `calibration_document` as text and tables."""
    parts: list[RenderableType] = [f"{len(document['runs'])} runs, {document['runs'][0]} to {document['runs'][-1]}"]
    for key, facts in document["metrics"].items():
        title = METRICS[key].title
        if "reason" in facts:
            parts += ["", f"{title}: {facts['reason']}."]
        else:
            parts += ["", f"{title}: {_variation(facts)}", _table(facts)]
            parts += [*_age_lines(facts), *_reference_lines(facts["reference"])]
    return [*parts, "", *effort_lines(document["effort"]), "", *_advice(document["proposed"])]


def _variation(facts: Mapping[str, Any]) -> str:
    share, verdicts = facts["share_of_runs"], facts["verdicts"]
    counts = ", ".join(f"{count} {name}" for name, count in verdicts.items() if name != "regressed")
    between = "nothing varies" if share is None else f"{share:.0%} of a trial's variance is between runs"
    return (
        f"trials vary by {facts['trial_variation']:.1%} (standard deviation), runs by an additional "
        f"{facts['run_variation']:.1%}: {between}.\nEach run against the previous one: {counts}; "
        f"{verdicts['regressed']} alarms. Every difference among them is false."
    )


def _age_lines(facts: Mapping[str, Any]) -> list[str]:
    """Return how far runs drift apart with time, if they are at several distances, and with the hour."""
    lines = []
    if len(facts["by_age"]) > 1:
        parts = (f"{each['run_variation']:.1%} {each['apart']} apart" for each in facts["by_age"])
        lines.append(f"Runs vary by {', '.join(parts)}, chance in their trials included.")
    if (hours := facts["time_of_day"]) is not None:
        found = "swing with the time of day" if hours["p"] <= 0.01 else "show no swing with the time of day"
        lines.append(f"The {hours['runs']} runs {found}: {hours['swing']:.1%} either way, p = {hours['p']:.2g}.")
    return lines


def _reference_lines(facts: Mapping[str, Any] | None) -> list[str]:
    """Return what dividing by the machine's reference gains."""
    if facts is None:
        return []
    following = sum(slope != 0 for slope in facts["slopes"].values())
    text = (
        f"By its reference, the machine's speed varied by {facts['variation']:.1%} from run to run; {following} of "
        f"{len(facts['slopes'])} cases follow it."
    )
    if not following:
        return [text]
    effect = facts["stored"][ROUNDS.index(10)]
    return [
        f"{text} Divided out, {facts['run_variation_left']:.1%} are left: with 10 rounds, a kept run detects "
        f"{effect['told_apart']:.1%} and fires at {effect['fires_at']:.1%}."
    ]


def _table(facts: Mapping[str, Any]) -> AdaptiveTable:
    titles = [
        f"{how}\n{title}"
        for how in ("turn by turn", "against a kept run")
        for title in ("detects", "holds from", "fires at")
    ]
    table = AdaptiveTable("Rounds\nper side", *(Column(title, right=True) for title in titles))
    for effects in zip(facts["turn_by_turn"], facts["stored"], strict=True):
        cells = [effect[name] for effect in effects for name in ("told_apart", "threshold", "fires_at")]
        table.add(str(effects[0]["rounds"]), *(f"{cell:.1%}" for cell in cells))
    return table


def _advice(proposed: Mapping[str, Any]) -> list[str]:
    """Return the options and settings to use."""
    lines = [f"Proposed: --rounds {proposed['rounds']} and, in joulemark.toml or as --threshold METRIC:PERCENT,"]
    for how, label in (("turn_by_turn", "for sides measured turn by turn"), ("stored", "against a kept run")):
        # A threshold over 100 % catches nothing.
        texts = {key: f"{value:.0%}" if value <= 1 else "off" for key, value in proposed[how].items()}
        entries = ", ".join(f'{key} = "{text}"' for key, text in texts.items())
        lines.append(f"  thresholds = {{ {entries} }}  # {label}")
    return lines
