"""What a run says of its machine, against numbers worked out by hand."""

from __future__ import annotations

import pytest
from run_files import CH, case, energy, run_file, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, Probe, Response
from joulemark.suite.results.machine.held_back import UNKNOWN, causes, held_back_by
from joulemark.suite.results.machine.known_units import known_units
from joulemark.suite.results.machine.peaks import peaks, powers
from joulemark.suite.results.references.kept import load

PROBES = [
    Probe(framework=name, device="cpu", precision="fp32", threads=2, flops_per_s=flops, bytes_per_s=bandwidth)
    for name, flops, bandwidth in (("pytorch", 2.0e11, 3e10), ("tensorflow", 4.0e11, 2e10))
]


def at(rate: float, energy_j: float = 100.0, **fields: object) -> object:
    """Return a case of one trial of 2 s at `rate` items/s that took `energy_j` joules."""
    return case(trials=[trial(1, rate, readings=[energy(energy_j)])], **fields)


def test_peak_is_the_best_of_all_frameworks() -> None:
    (peak,) = peaks(PROBES)
    assert (peak.device, peak.flops_per_s, peak.bytes_per_s) == ("cpu", 4.0e11, 3e10)


def test_idle_and_most_power() -> None:
    """`run_file` is idle at 20 W; 100 J in 2 s are 50 W, 180 J are 90 W."""
    (power,) = powers(run_file([at(100.0), at(50.0, 180.0, workload="vit")]))
    assert (power.idle_w, power.most_w) == (pytest.approx(20.0), pytest.approx(90.0))
    assert (power.case.workload, power.kind, power.lower_bound) == ("vit", "counter", False)
    (unknown,) = powers(run_file([at(100.0)], idle=()))
    assert unknown.idle_w is None


def test_units_that_people_know_in_joules_and_grams() -> None:
    """200 tokens in 100 J are 500 J for 1,000 tokens: at 39.22 g/kWh 5.447 mg."""
    tokens = {"workload": "gpt2", "phase": "generation", "item": "token"}
    cheap, dear = at(100.0, **tokens), at(100.0, 300.0, framework="tensorflow", mode="graph", **tokens)
    (cost,) = known_units(run_file([dear, cheap]).cases)
    assert (cost.unit.name, cost.case.framework) == ("generation, per 1,000 tokens", "pytorch")
    assert cost.energy_j.value == pytest.approx(500.0)
    assert cost.emissions_g.value == pytest.approx(500.0 / 3.6e6 * CH.g_per_kwh)
    assert cost.per_second == pytest.approx(0.1)


def test_response_is_all_tokens_of_a_sample() -> None:
    """Steps of 4 samples of 32 tokens: 100 J in a window of 10 steps, 40 responses."""
    window = trial(1, readings=[energy(100.0)]).model_copy(update={"steps": 10, "items": 10 * 4 * 32})
    response = case("gpt2", phase="response", item="token", batch_size=4, trials=[window])
    response = response.model_copy(update={"id": response.id.replace("b32", "b4")})
    (cost,) = known_units(run_file([response]).cases)
    assert (cost.items, cost.energy_j.value) == (32, pytest.approx(100.0 / 40))
    tokens = Response(prompt_tokens=100, new_tokens=32)
    (cost,) = known_units(run_file([response.model_copy(update={"response": tokens})]).cases)
    assert cost.name == "response (100 + 32 tokens, batch 4)"


def test_compiled_modes_and_own_settings_are_no_headline() -> None:
    own = case().model_copy(update={"id": f"{case().id}+threads=1"})
    assert known_units(run_file([own, case(mode="compile")]).cases) == ()


def test_nearest_cause_counts() -> None:
    """Of the probes a case of 1,000 operations a byte is compute-bound; a throttled GPU is throttled."""
    dense = case(flops_per_item=1e9, bytes_per_item=1e5, unfused_bytes_per_item=1e6)
    assert held_back_by(run_file([dense]).cases[0], PROBES) == "compute-bound"
    thin = case(flops_per_item=1e6, bytes_per_item=1e6, unfused_bytes_per_item=5e6)
    assert held_back_by(run_file([thin]).cases[0], PROBES) == "memory-bound"
    for code, words in ((Code.LAUNCH_BOUND, "launch-bound"), (Code.BOARD_POWER_CAPPED, "power-capped")):
        told = dense.model_copy(update={"notices": (Notice.of(code, 0.4, 0.9),)})
        assert held_back_by(run_file([told]).cases[0], PROBES) == words
    assert causes(run_file([case()]).cases, ()) == {UNKNOWN: 1}


def test_h200_as_published_in_its_page() -> None:
    """docs/gpu.md has 691 TFLOP/s in bf16, 76 to 78 W idle, 693 W at most and 0.138 J an image trained on."""
    run = next(run for run in load("h200").runs if run.run.rounds == 1)
    (peak,) = peaks(run.probes)
    assert peak.flops_per_s == pytest.approx(691e12, rel=1e-2)
    (power,) = powers(run)
    assert power.idle_w == pytest.approx(77, abs=2)
    assert (round(power.most_w), power.lower_bound) == (693, True)
    trained = next(cost for cost in known_units(run.cases) if cost.unit.name == "training, per image")
    assert trained.energy_j.value == pytest.approx(0.138, rel=1e-2)
    assert causes(run.cases, run.probes)["power-capped"] == 2  # both of ViT
