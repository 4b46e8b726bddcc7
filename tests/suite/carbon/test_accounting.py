"""Carbon arithmetic against published figures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.carbon.accounting import (
    combined,
    embodied_g,
    emissions_g,
    facility_energy_j,
    factors,
    green_algorithms,
)
from joulemark.suite.errors import UsageError

KWH = 3.6e6


def test_green_algorithms_worked_example() -> None:
    # Green Algorithms tool v2: 12 h on 12 cores of a Xeon E5-2683 v4 (7.5 W a core), 64 GB, PUE 1.67.
    estimate = green_algorithms(12, cores=12, watts_per_core=7.5, memory_gb=64, pue=1.67, g_per_kwh=475)
    assert estimate.energy_kwh == pytest.approx(2.2813536, rel=1e-12)
    assert estimate.emissions_g == pytest.approx(2.2813536 * 475, rel=1e-12)


def test_sci_embodied_example() -> None:
    # SCI specification 1.1, M: a server of 1,000 kg over four years, reserved whole for one hour: about 28 g.
    assert embodied_g(1_000_000, 1, 4 * 8760) == pytest.approx(28.5388, abs=1e-4)


def test_machine_learning_impact_calculator() -> None:
    # Lacoste et al. 2019 (arXiv:1910.09700): 1,500 GPU hours at 300 W and 0.432 kg/kWh: 194.4 kg.
    assert emissions_g(1500 * 300 * 3600, 432) == pytest.approx(194_400)


def test_bloom_training() -> None:
    # Luccioni, Viguier, Ligozat 2022 (arXiv:2211.02001): 433,196 kWh at 57 g/kWh: 24.69 t of dynamic consumption.
    assert emissions_g(433_196 * KWH, 57) / 1e6 == pytest.approx(24.69, abs=0.01)


def test_gpt3_training() -> None:
    # Patterson et al. 2021 (arXiv:2104.10350), table 4: 1,287 MWh (PUE within) at 429 g/kWh: 552.1 t.
    assert emissions_g(1287e3 * KWH, 429) / 1e6 == pytest.approx(552.1, abs=0.3)


def test_evolved_transformer_facility_energy() -> None:
    # Patterson et al. 2021, table 4: T5, 245,760 TPU v3 hours at 310 W and PUE 1.12: 85.7 MWh, 545 g/kWh: 46.7 t.
    energy_j = facility_energy_j(245_760 * 310 * 3600, 1.12)
    assert energy_j / KWH / 1e3 == pytest.approx(85.7, abs=0.4)
    assert emissions_g(energy_j, 545) / 1e6 == pytest.approx(46.7, abs=0.3)


def test_llama_training() -> None:
    # Touvron et al. 2023 (arXiv:2302.13971), table 15: LLaMA-65B, 1,022,362 GPU hours x 400 W x PUE 1.1: 449 MWh;
    # at 385 g/kWh 173 t.
    energy_j = facility_energy_j(1_022_362 * 400 * 3600, 1.1)
    assert energy_j / KWH / 1e3 == pytest.approx(449, abs=1)
    assert emissions_g(energy_j, 385) / 1e6 == pytest.approx(173, abs=1)


@pytest.mark.parametrize(
    ("hours", "watts", "tonnes"), [(184_320, 400, 31.22), (368_640, 400, 62.44), (1_038_336, 350, 153.90)]
)
def test_llama_2_training(hours: float, watts: float, tonnes: float) -> None:
    # Touvron et al. 2023 (arXiv:2307.09288), table 2: hours, watts and tonnes of four models, no intensity;
    # the one that the 70B model implies (1,720,320 h x 400 W: 291.42 t) must explain the other three.
    g_per_kwh = 291.42e6 / (1_720_320 * 0.4)
    assert emissions_g(hours * watts * 3600, g_per_kwh) / 1e6 == pytest.approx(tonnes, abs=0.02)


def test_embodied_share_on_a_clean_grid() -> None:
    # 150 kg a board over four years is 4.28 g an hour; a 300 W board at 39.22 g/kWh emits 11.77 g: embodied is 27 %.
    embodied = embodied_g(150e3, 1, 4 * 8760)
    operational = emissions_g(300 * 3600, 39.22)
    assert embodied == pytest.approx(4.281, abs=1e-3)
    assert embodied / (embodied + operational) == pytest.approx(0.267, abs=1e-3)


def test_steps_add_up_to_the_estimate() -> None:
    estimate = green_algorithms(
        3, cores=8, watts_per_core=10, usage=0.5, gpus=2, watts_per_gpu=300, gpu_usage=0.9, memory_gb=100, pue=1.2,
        psf=3, g_per_kwh=100,
    )  # fmt: skip
    values = {step.name: step.value for step in estimate.steps}
    assert values["power"] == pytest.approx(values["cores"] + values["GPUs"] + values["memory"])
    assert values == pytest.approx(
        {
            "cores": 40.0,
            "GPUs": 540.0,
            "memory": 37.25,
            "power": 617.25,
            "IT energy": 1.85175,
            "energy": 6.6663,
            "emissions": 666.63,
        }
    )
    assert (estimate.energy_kwh, estimate.emissions_g) == (values["energy"], values["emissions"])


def test_terms_left_out_are_zero() -> None:
    assert green_algorithms(5, g_per_kwh=100).energy_kwh == 0.0
    assert green_algorithms(1, gpus=1, watts_per_gpu=1000, g_per_kwh=100).energy_kwh == 1.0


amounts = st.floats(0, 1e6)


@given(amounts, st.floats(1, 5), st.floats(0, 3000))
def test_emissions_grow_with_each_factor(energy_j: float, pue: float, g_per_kwh: float) -> None:
    grams = emissions_g(facility_energy_j(energy_j, pue), g_per_kwh)
    assert grams >= emissions_g(energy_j, g_per_kwh) >= 0
    assert grams == pytest.approx(energy_j * pue * g_per_kwh / KWH, rel=1e-12)


@given(st.floats(0.1, 10), st.floats(0.1, 1), st.floats(1, 10), st.floats(0, 1), st.floats(0, 1))
def test_combined_range_contains_every_product(value: float, low: float, high: float, u: float, v: float) -> None:
    pair = factors(value, value * low, value * high)
    both = combined(pair, (0.5, 2.0), None)
    assert pair is not None
    point = (pair[0] + u * (pair[1] - pair[0])) * (0.5 + v * 1.5)
    assert both[0] * (1 - 1e-12) <= point <= both[1] * (1 + 1e-12)


def test_range_of_unknown_ends() -> None:
    assert factors(39.0, None, None) is None
    assert factors(0.0, 0.0, 10.0) is None
    assert factors(40.0, 30.0, None) == (0.75, 1.0)
    assert combined(None) == (1.0, 1.0)


@pytest.mark.parametrize("pue", [0.99, 0.0, -1.2, 5.1, 167.0, math.nan, math.inf])
def test_pue_below_one_or_absurd_is_refused(pue: float) -> None:
    with pytest.raises(UsageError, match=r"^PUE is .*between 1 and 5"):
        facility_energy_j(1.0, pue)


@pytest.mark.parametrize("g_per_kwh", [-1.0, 3001.0, math.nan, math.inf])
def test_intensity_out_of_range_is_refused(g_per_kwh: float) -> None:
    with pytest.raises(UsageError, match=r"^intensity is .*between 0 and 3000"):
        emissions_g(1.0, g_per_kwh)


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ({"hours": -1}, "hours is -1"),
        ({"hours": math.nan}, "hours is nan"),
        ({"hours": 1, "cores": -2}, "cores is -2"),
        ({"hours": 1, "usage": 1.5}, "usage is 1.5"),
        ({"hours": 1, "gpu_usage": -0.1}, "GPU usage is -0.1"),
        ({"hours": 1, "pue": 0.5}, "PUE is 0.5"),
        ({"hours": 1, "psf": 0}, "PSF is 0"),
    ],
)
def test_estimate_refuses_invalid_values(given: dict[str, float], start: str) -> None:
    with pytest.raises(UsageError, match=f"^{start}"):
        green_algorithms(**given, g_per_kwh=100)


@pytest.mark.parametrize("arguments", [(-1, 1, 10), (1, 11, 10), (1, -1, 10), (1, 1, 0), (math.inf, 1, 10)])
def test_embodied_refuses_invalid_values(arguments: tuple[float, ...]) -> None:
    with pytest.raises(UsageError):
        embodied_g(*arguments)
