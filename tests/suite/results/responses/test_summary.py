"""Responses on a simulated board of known watts: three joules under three names, and what they leave over."""

from __future__ import annotations

import pytest
import responses
from responses import BATCH, DECODE_S, NEW_TOKENS, PREFILL_S, PROMPT, RESPONSE_S, TRUE_J, simulated_run

from joulemark.suite.notices import Code
from joulemark.suite.records import Closure, Response, RunFile
from joulemark.suite.records.checks.run_file import contradictions
from joulemark.suite.results.responses.summary import ONE_TOKEN, with_results
from joulemark.suite.results.run_files import checked
from joulemark.suite.results.validity import case_notices


def response(file: RunFile) -> Response:
    assert file.cases[0].response is not None
    return file.cases[0].response


def closure(file: RunFile) -> Closure:
    assert response(file).closure is not None
    return response(file).closure


@pytest.mark.parametrize("name", TRUE_J)
def test_each_energy_is_the_true_one_within_its_sensors_limits(name):
    quantity = getattr(response(simulated_run()).energy_j, name)
    (low, high), (least_gain, most_gain) = quantity.ranges.sensor, quantity.ranges.gain
    assert (quantity.n, quantity.kind, quantity.unit) == (3, "counter", "J")
    # The simulated sensor has no gain error: what is left of the limits is that of sampling.
    assert low / least_gain <= TRUE_J[name] / quantity.value <= high / most_gain
    assert 0.99 < low / least_gain <= high / most_gain < 1.01
    assert quantity.low <= TRUE_J[name] <= quantity.high


def test_the_energies_lack_the_host_and_say_so():
    for name in TRUE_J:
        quantity = getattr(response(simulated_run()).energy_j, name)
        assert quantity.lower_bound
        assert "package" in quantity.reason


def test_prefill_and_decoding_close_on_the_response():
    left = closure(simulated_run())
    assert left.n == 3
    assert left.sensor_low_j <= 0.0 <= left.sensor_high_j
    assert left.low_j <= 0.0 <= left.high_j
    assert left.sensor_high_j - left.sensor_low_j < 0.02 * TRUE_J["per_response"]
    assert left.share == pytest.approx(left.energy_j / TRUE_J["per_response"], rel=0.05)


def test_decoding_that_draws_another_tenth_alone_is_seen_in_the_closure():
    left = closure(simulated_run(decode_w=1.1 * responses.DECODE_W))
    true_j = -0.1 * responses.DECODE_W * DECODE_S * (NEW_TOKENS - 1) / BATCH
    assert left.sensor_low_j <= true_j <= left.sensor_high_j < 0.0


def test_tokens_per_second_are_those_of_each_window():
    rates = response(simulated_run()).tokens_per_s
    assert rates.prompt.value == pytest.approx(BATCH * PROMPT / PREFILL_S)
    assert rates.output.value == pytest.approx(BATCH / DECODE_S)
    summary = simulated_run().cases[0].summary
    assert summary.throughput.value == pytest.approx(BATCH * NEW_TOKENS / RESPONSE_S)
    assert summary.energy_per_item_j == response(simulated_run()).energy_j.response_per_output_token


def test_percentiles_are_means_over_trials():
    times = response(simulated_run())
    assert (times.ttft_s.p50.value, times.ttft_s.p50.n) == (pytest.approx(PREFILL_S), 3)
    assert times.tpot_s.p99.value == pytest.approx(2 * DECODE_S)


def test_one_trial_has_no_interval():
    file = simulated_run(rounds=1)
    assert closure(file).reason == response(file).ttft_s.p50.reason == "n=1, no interval"
    assert (closure(file).low_j, closure(file).high_j) == (None, None)


def test_a_component_that_one_window_lacks_leaves_no_closure():
    """In the other energies it is missing too; here, a sum would be of unlike things."""
    case = simulated_run().cases[0]
    trials = tuple(
        t.model_copy(update={"parts": {**t.parts, "decode": t.parts["decode"].model_copy(update={"energy": ()})}})
        for t in case.trials
    )
    found = with_results(case.model_copy(update={"trials": trials})).response
    assert found.energy_j.per_output_token.value is None
    assert found.energy_j.per_output_token.reason == "no sensor was read"
    assert found.closure.energy_j is None
    assert "same components" in found.closure.reason


def test_a_response_of_one_token_is_all_prefill():
    case = simulated_run().cases[0]
    trials = tuple(
        t.model_copy(
            update={
                "parts": {"prefill": t.parts["prefill"]},
                "token_times": t.token_times.model_copy(update={"tpot": None}),
                "items": t.steps * BATCH,
            }
        )
        for t in case.trials
    )
    one = Response(prompt_tokens=PROMPT, new_tokens=1)
    found = with_results(case.model_copy(update={"trials": trials, "response": one})).response
    assert found.tpot_s is None
    assert found.tokens_per_s.output.reason == found.energy_j.per_output_token.reason == ONE_TOKEN
    assert found.closure.n == 3


def test_a_file_with_other_numbers_than_its_trials_give_is_refused():
    file = simulated_run()
    assert checked(file, "run") == file
    energy = response(file).energy_j
    other = energy.model_copy(update={"per_prompt_token": energy.per_prompt_token.model_copy(update={"value": 1.0})})
    changed = file.cases[0].model_copy(update={"response": response(file).model_copy(update={"energy_j": other})})
    with pytest.raises(Exception, match=r"response\.energy_j\.per_prompt_token\.value"):
        checked(file.model_copy(update={"cases": (changed,)}), "run")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("window_s", (0.0, 1.0), "before the window of the whole step ends"),
        ("window_s", (50.0, 1000.0), "after the trial"),
        ("steps", 0, "0 steps"),
    ],
)
def test_parts_that_cannot_be_are_refused(field, value, problem):
    file = simulated_run()
    trial = file.cases[0].trials[0]
    part = trial.parts["decode"].model_copy(update={field: value})
    trial = trial.model_copy(update={"parts": {**trial.parts, "decode": part}})
    case = file.cases[0].model_copy(update={"trials": (trial,)})
    places = list(contradictions(file.model_copy(update={"cases": (case,)})))
    assert any(place.endswith((f"parts.decode.{field}", "window_s")) for place, _ in places)
    assert any(problem in text for _, text in places)


def test_a_window_of_decoding_that_is_too_short_for_the_sensor_has_a_notice():
    case = simulated_run().cases[0]
    assert Code.TOO_SHORT_FOR_SENSOR not in {notice.code for notice in case_notices(case, case.summary)}
    trials = []
    for trial in case.trials:
        (begin_s, _), decode = trial.parts["decode"].window_s, trial.parts["decode"]
        short = decode.model_copy(update={"window_s": (begin_s, begin_s + 0.1)})
        trials.append(trial.model_copy(update={"parts": {**trial.parts, "decode": short}}))
    notices = case_notices(case.model_copy(update={"trials": tuple(trials)}), case.summary)
    assert Code.TOO_SHORT_FOR_SENSOR in {notice.code for notice in notices}
