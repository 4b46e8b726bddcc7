"""The times and joules of responses, from the trials of a case: of prefill, of decoding, and of the whole. Pure.

A prefill takes milliseconds, and a sensor's value is updated each 100: prefill and decoding are therefore repeated,
each in a window of its own. What they leave over of the energy of whole responses is reported as the closure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import attrgetter
from statistics import fmean
from typing import Final

from joulemark.suite.energy.attribution import AttributedEnergy, CaseEnergy, case_energy
from joulemark.suite.records import (
    Case,
    Closure,
    Percentiles,
    Quantity,
    Response,
    ResponseEnergy,
    TokenRates,
    Trial,
)
from joulemark.suite.results.quantities import ONE_TRIAL, energy_quantity, scaled, timed_quantity, unknown
from joulemark.suite.stats.intervals import CONFIDENCE, standard_deviation, t_quantile

PERCENTILES: Final = {"p50": "p50_s", "p95": "p95_s", "p99": "p99_s"}
"""Fields of `records.Percentiles`, and of `records.Latency`."""
ONE_TOKEN: Final = "a response has one token, which comes from prefill"


def with_results(case: Case) -> Case:
    """Return a case of phase `response` with the results of its usable trials; any other case as it is."""
    if case.response is None:
        return case
    tokens = {name: getattr(case.response, name) for name in ("prompt_tokens", "new_tokens", "context_tokens")}
    trials = [trial for trial in case.trials if trial.is_usable]
    response = Response(**tokens)
    return case.model_copy(update={"response": _measured(response, trials) if trials else response})


def _measured(response: Response, trials: Sequence[Trial]) -> Response:
    """Return the response with results; each of them, without a value, says why."""
    no_decoding = ONE_TOKEN if response.new_tokens == 1 else "no trial has a window of decoding"
    prefill, decode = (part_trials(trials, name) for name in ("prefill", "decode"))
    whole = case_energy(trials)
    per_token = energy_quantity(whole, "J", [each.energy_j / each.trial.items for each in whole.trials])
    return response.model_copy(
        update={
            "ttft_s": _percentiles(trials, "ttft"),
            "tpot_s": _percentiles(trials, "tpot") if response.new_tokens > 1 else None,
            "tokens_per_s": TokenRates(
                prompt=_rate(prefill, "no trial has a window of prefill"), output=_rate(decode, no_decoding)
            ),
            "energy_j": ResponseEnergy(
                per_prompt_token=_energy(prefill, "no trial has a window of prefill"),
                per_output_token=_energy(decode, no_decoding),
                per_response=scaled(per_token, response.new_tokens, "J"),
                response_per_output_token=per_token,
            ),
            "closure": closure(response, whole, case_energy(prefill), case_energy(decode)),
        }
    )


def part_trials(trials: Sequence[Trial], name: str) -> list[Trial]:
    """Return `trials` as if the window of their part `name` were their only one; those without it are left out."""
    return [
        trial.model_copy(update={"window_s": p.window_s, "steps": p.steps, "items": p.items, "energy": p.energy})
        for trial in trials
        if (p := trial.parts.get(name)) is not None
    ]


def _rate(trials: Sequence[Trial], reason: str) -> Quantity:
    usable = [trial for trial in trials if trial.is_usable]
    if not usable:
        return unknown("1/s", reason).model_copy(update={"kind": None})
    return timed_quantity(usable, "1/s", lambda trial: trial.items / trial.window_length_s)


def _energy(trials: Sequence[Trial], reason: str) -> Quantity:
    energy = case_energy([trial for trial in trials if trial.is_usable])
    if not energy.trials and not energy.excluded:
        return unknown("J", reason)
    return energy_quantity(energy, "J", [each.energy_j / each.trial.items for each in energy.trials])


def _percentiles(trials: Sequence[Trial], name: str) -> Percentiles:
    """Return each percentile as its mean over trials: these are the independent unit, not the tokens in one."""
    latencies = [getattr(trial.token_times, name, None) for trial in trials]
    known = [latency for latency in latencies if latency is not None]
    if not known:
        missing = Quantity(value=None, unit="s", n=0, reason="no trial recorded it")
        return Percentiles(p50=missing, p95=missing, p99=missing)
    return Percentiles(
        **{percentile: timed_quantity(known, "s", attrgetter(field)) for percentile, field in PERCENTILES.items()}
    )


def closure(response: Response, whole: CaseEnergy, prefill: CaseEnergy, decode: CaseEnergy) -> Closure:
    """Return what prefill and decoding, replayed alone, leave over of the energy of responses, joules per response.

    Only trials that measured the same components in all their windows count. A gain error of a sensor cancels in the
    share, which is why the limits are those of sampling alone.
    """
    factors = {"whole": response.new_tokens, "prefill": response.prompt_tokens, "decode": response.new_tokens - 1}
    energies = {"whole": whole, "prefill": prefill, "decode": decode}
    if response.new_tokens == 1:
        del energies["decode"]
    by_round = {name: {each.trial.round: each for each in energy.trials} for name, energy in energies.items()}
    rounds = [number for number in by_round["whole"] if _comparable(number, by_round)]
    if not rounds:
        return Closure(energy_j=None, n=0, reason="no trial measured the same components in all of its windows")
    per_response = {
        name: [trials[n].energy_j / trials[n].trial.items * factors[name] for n in rounds]
        for name, trials in by_round.items()
    }
    left = [
        total - sum(parts)
        for total, *parts in zip(*per_response.values(), strict=True)
    ]  # fmt: skip
    mean = fmean(left)
    half = None
    if len(left) > 1:
        half = t_quantile((1 + CONFIDENCE) / 2, len(left) - 1) * standard_deviation(left) / math.sqrt(len(left))
    low_j, high_j = _sensor_limits(energies, {name: fmean(values) for name, values in per_response.items()})
    return Closure(
        energy_j=mean,
        low_j=None if half is None else mean - half,
        high_j=None if half is None else mean + half,
        sensor_low_j=None if low_j is None else mean - low_j,
        sensor_high_j=None if high_j is None else mean + high_j,
        share=mean / fmean(per_response["whole"]),
        n=len(left),
        reason=ONE_TRIAL if half is None else None,
    )


def _comparable(number: int, by_round: Mapping[str, Mapping[int, AttributedEnergy]]) -> bool:
    """Return whether all windows of a round have the energy of the same components."""
    found = [trials.get(number) for trials in by_round.values()]
    return None not in found and len({each.keys for each in found if each is not None}) == 1


def _sensor_limits(
    energies: Mapping[str, CaseEnergy], per_response: Mapping[str, float]
) -> tuple[float | None, float | None]:
    """Return how far below and above its value the closure may lie by the errors of sampling, joules."""
    below_j = above_j = 0.0
    for name, energy in energies.items():
        if energy.sampling_range is None:
            return None, None
        low, high = energy.sampling_range
        less_j, more_j = per_response[name] * (1 - low), per_response[name] * (high - 1)
        below_j += less_j if name == "whole" else more_j
        above_j += more_j if name == "whole" else less_j
    return below_j, above_j
