"""`joulemark run --phase response` with the real frameworks: what a case carries, and what is refused before it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from command import FAST_ROUNDS, joulemark
from environments import known, require

from joulemark.suite.sensors.simulated_loads import HIGH_W

pytestmark = pytest.mark.slow

RESPONSES = ("--workload", "gpt2", "--size", "tiny", "--phase", "response")
NEW_TOKENS, PROMPT, ROUNDS = 5, 8, 2


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    return home


@pytest.fixture(scope="module")
def document(home):
    """Return the run, on a sensor of known power, in each framework."""
    require("torch", "tensorflow", "jax")
    done = joulemark(
        home,
        *("run", "--profile", "fast", *RESPONSES, "--batch-size", "4"),
        *("--new-tokens", f"{NEW_TOKENS}", "--rounds", f"{ROUNDS}", "--threads", "1", "--offline", "--json"),
        *("--sensor", "simulated:rapl/constant", *known()),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_case_carries_its_responses_under_the_names_of_the_contract(document):
    assert len(document["cases"]) == 3
    for case in document["cases"]:
        assert case["status"] == "ok", case["reason"]
        assert case["id"].endswith(f"/b{case['batch_size']}+new-tokens={NEW_TOKENS}")
        response = case["response"]
        assert (response["prompt_tokens"], response["new_tokens"]) == (PROMPT, NEW_TOKENS)
        for name in ("ttft_s", "tpot_s"):
            p50, p95, p99 = (response[name][key]["value"] for key in ("p50", "p95", "p99"))
            assert 0 < p50 <= p95 <= p99
        for name in ("prompt", "output"):
            assert response["tokens_per_s"][name]["n"] == ROUNDS
        for name in ("per_prompt_token", "per_output_token", "per_response"):
            assert response["energy_j"][name]["kind"] == "counter"


def test_on_a_sensor_of_constant_power_each_energy_is_power_over_rate(document):
    """Of its own window: each may last longer or shorter than the others on a busy machine."""
    for case in document["cases"]:
        response, throughput = case["response"], case["summary"]["throughput"]["value"]
        rates = {
            "per_prompt_token": response["tokens_per_s"]["prompt"]["value"],
            "per_output_token": response["tokens_per_s"]["output"]["value"],
            "response_per_output_token": throughput,
            "per_response": throughput / NEW_TOKENS,
        }
        for name, rate in rates.items():
            # Two ends of a window of 0.3 s, each known to an update of 1 ms and its jitter.
            assert response["energy_j"][name]["value"] == pytest.approx(HIGH_W / rate, rel=0.0025 / 0.3)


def test_windows_of_a_trial_follow_one_another(document):
    for trial in (trial for case in document["cases"] for trial in case["trials"]):
        windows = [trial["window_s"], trial["parts"]["prefill"]["window_s"], trial["parts"]["decode"]["window_s"]]
        times = [trial["started_s"], *(time for window in windows for time in window), trial["ended_s"]]
        assert times == sorted(times)
        assert trial["parts"]["decode"]["steps"] % (NEW_TOKENS - 1) == 0
        first, following = trial["token_times"]["ttft"], trial["token_times"]["tpot"]
        assert following["steps"] == (NEW_TOKENS - 1) * first["steps"] == (NEW_TOKENS - 1) * trial["steps"]


def test_show_and_csv_have_the_times_and_energies_of_responses(home, document):
    shown = joulemark(home, "show", "latest")
    assert shown.returncode == 0, shown.stderr
    assert f"+new-tokens={NEW_TOKENS}, {PROMPT} + {NEW_TOKENS} tokens" in shown.stdout
    exported = joulemark(home, "export", "latest", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(exported.stdout)))
    by_id = {case["id"]: case["response"] for case in document["cases"]}
    for row in rows:
        response = by_id[row["id"]]
        assert float(row["ttft_p50_s"]) == response["ttft_s"]["p50"]["value"]
        assert float(row["energy_per_decoded_token_j"]) == response["energy_j"]["per_output_token"]["value"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--prompt", "500"), "more than the context of gpt2:tiny, 16 tokens"),
        (("--new-tokens", "0"), "--new-tokens: input should be greater than or equal to 1, found 0"),
        (("--batch-size", "2000000000"), "batch size"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_runs(home, options, says):
    done = joulemark(home, "run", *RESPONSES, "--offline", *options, *known())
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
