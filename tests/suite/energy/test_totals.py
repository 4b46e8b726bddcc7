"""Totals of a run: over its windows, end to end, by hour, scaled, and on other grids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_files import CH, case, energy, failed_trial, machine, run_file, trace, trial

from joulemark.suite.carbon import ember
from joulemark.suite.energy.totals import run_totals, sampled_windows, weight_by_energy, what_if
from joulemark.suite.records import Emissions, Gpu, GridInterval, Intensity, Pue, RunFile, Segment, Trace
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import table

KWH = 3.6e6


def with_grid(file: RunFile, *spans: tuple[str, str, float], pue: float = 1.0, psf: float = 1.0) -> RunFile:
    intervals = tuple(
        GridInterval(start=f"2026-11-01T{start}Z", end=f"2026-11-01T{end}Z", g_per_kwh=g) for start, end, g in spans
    )
    emissions = Emissions(intensity=CH, pue=Pue(value=pue, source="test"), psf=psf, intervals=intervals)
    return file.model_copy(update={"emissions": weight_by_energy(file, emissions)})


def test_windows_add_up_over_cases_and_trials() -> None:
    # 2 cases x 3 trials x 2 s x 50 W
    total = run_totals(run_file()).windows
    assert (total.energy_j, total.duration_s, total.kind, total.lower_bound) == (600.0, 12.0, "counter", False)
    assert total.emissions_g == pytest.approx(600 / KWH * 39.22)


def test_run_total_is_from_end_to_end() -> None:
    # 50 W for 60 s, though the windows are 12 s of it.
    total = run_totals(run_file()).run
    assert total.energy_j == pytest.approx(3000.0)
    assert total.duration_s == pytest.approx(60.0)
    assert total.facility_energy_j == pytest.approx(3000.0)


def test_pue_once_and_psf_on_totals_only() -> None:
    file = run_file()
    emissions = file.emissions.model_copy(update={"pue": Pue(value=1.5, source="x"), "psf": 20.0})
    changed = recompute(file, emissions)
    totals, plain = run_totals(changed), run_totals(file)
    assert totals.run.energy_j == plain.run.energy_j
    assert totals.run.facility_energy_j == pytest.approx(4500.0)
    assert totals.projected.energy_j == pytest.approx(60_000.0)
    assert totals.projected.emissions_g == pytest.approx(20 * 4500 / KWH * 39.22)
    once = recompute(file, emissions.model_copy(update={"psf": 1.0}))
    for scaled_case, plain_case in zip(changed.cases, once.cases, strict=True):
        assert scaled_case.summary == plain_case.summary


def test_each_stretch_has_the_intensity_of_its_own_hour() -> None:
    # The run begins at 12:00:00 and draws 50 W for 60 s: 20 s at 100, 40 s at 400.
    file = with_grid(run_file(), ("12:00:00", "12:00:20", 100), ("12:00:20", "12:01:00", 400))
    assert file.emissions.intensity.g_per_kwh == pytest.approx(300.0)
    assert run_totals(file).run.emissions_g == pytest.approx((1000 * 100 + 2000 * 400) / KWH, rel=1e-6)


def test_weights_are_energies_not_times() -> None:
    times = tuple(float(t) for t in range(61))
    joules = tuple(10.0 * t if t <= 30 else 300 + 90.0 * (t - 30) for t in times)
    channel = trace().channels[0].model_copy(update={"values": joules})
    file = run_file(traces=(trace().model_copy(update={"t_s": times, "channels": (channel,)}),))
    file = with_grid(file, ("12:00:00", "12:00:30", 100), ("12:00:30", "12:01:00", 200))
    assert file.emissions.intensity.g_per_kwh == pytest.approx((300 * 100 + 2700 * 200) / 3000, rel=1e-4)


def test_window_across_two_intervals_is_split_by_time() -> None:
    single = run_file([case(trials=[trial(start_s=10.0, length_s=2.0)])])
    file = with_grid(single, ("12:00:00", "12:00:11", 100), ("12:00:11", "12:01:00", 300))
    assert run_totals(file).windows.emissions_g == pytest.approx(100 / KWH * 200)


def test_cases_are_ranked_on_one_intensity_with_the_actual_one_beside() -> None:
    early = case(trials=[trial(start_s=5.0)])
    late = case(framework="tensorflow", mode="graph", trials=[trial(start_s=40.0)])
    file = with_grid(run_file([early, late]), ("12:00:00", "12:00:30", 100), ("12:00:30", "12:01:00", 300))
    file = recompute(file, file.emissions)
    rows = table(file).rows
    reference = [row.cells["emissions_g_per_1000_items"].value for row in rows]
    actual = [row.cells["actual_g_per_1000_items"].value for row in rows]
    assert reference == pytest.approx([500 / KWH * 200] * 2)
    assert actual == pytest.approx([500 / KWH * 100, 500 / KWH * 300])
    assert next(c for c in table(file).columns if c.key == "actual_g_per_1000_items").better is None
    assert "actual_g_per_1000_items" not in {column.key for column in table(run_file()).columns}


def test_what_if_changes_grams_and_nothing_else() -> None:
    file = run_file()
    zones = {code: ember.intensity(code) for code in ("CH", "PL", "IN")}
    totals = what_if(file, zones)
    assert {total.energy_j for total in totals.values()} == {run_totals(file).run.energy_j}
    for code, total in totals.items():
        assert total.emissions_g == pytest.approx(3000 / KWH * zones[code].g_per_kwh)


@given(st.lists(st.floats(1, 1000), min_size=2, max_size=5))
def test_total_grams_are_the_mean_intensity_times_the_energy(values: list[float]) -> None:
    borders = [f"12:00:{i * 60 // len(values):02d}" for i in range(len(values))] + ["12:01:00"]
    spans = list(zip(borders, borders[1:], values, strict=False))
    file = with_grid(run_file(), *spans, pue=1.3)
    total = run_totals(file).run
    assert total.energy_j is not None
    assert total.emissions_g == pytest.approx(total.energy_j * 1.3 / KWH * file.emissions.intensity.g_per_kwh, rel=1e-6)
    assert min(values) * (1 - 1e-9) <= file.emissions.intensity.g_per_kwh <= max(values) * (1 + 1e-9)


def test_unknown_energy_stays_unknown() -> None:
    file = run_file([case(trials=[trial(readings=[energy(None)])])], traces=())
    totals = run_totals(file)
    for total in (totals.windows, totals.run, totals.projected):
        assert (total.energy_j, total.facility_energy_j, total.emissions_g) == (None, None, None)
        assert total.reason
    assert sampled_windows(file) == []
    assert weight_by_energy(file, with_grid(file, ("12:00:00", "12:01:00", 50)).emissions).intensity == CH


def test_failed_trials_add_nothing() -> None:
    file = run_file([case(trials=[trial(), failed_trial(2)])])
    assert run_totals(file).windows.energy_j == 100.0


def test_missing_component_makes_the_total_a_lower_bound() -> None:
    file = run_file([case(trials=[trial(readings=[energy(100.0), energy(None, "dram")])])])
    total = run_totals(file).windows
    assert total.lower_bound
    assert "dram: absent" in (total.reason or "")


def test_component_is_counted_once_for_all_devices() -> None:
    cases = [case(trials=[trial()]), case("vit", trials=[trial(start_s=20.0)])]
    assert run_totals(run_file(cases)).run.energy_j == pytest.approx(3000.0)


def test_zero_intensity_is_zero_grams() -> None:
    clean = Intensity(g_per_kwh=0.0, source="x", zone=None)
    file = recompute(run_file(), Emissions(intensity=clean, pue=Pue(value=1.0, source="x")))
    assert run_totals(file).run.emissions_g == 0.0
    assert table(file).rows[0].cells["emissions_g_per_1000_items"].value == 0.0


def test_models_are_not_added_to_measurements() -> None:
    gpu = Gpu(index=0, vendor="nvidia", name="Board", uuid="GPU-1", pci_bus_id="0", device="cuda:0")
    counted = trace().channels[0].model_copy(update={"component": "gpu", "scope": "GPU-1"})
    watts = tuple(30.0 for _ in trace().t_s)
    modelled = counted.model_copy(
        update={"component": "cpu", "scope": "host", "unit": "W", "kind": "model", "values": watts}
    )
    traces = (
        trace().model_copy(update={"sensor": "nvml", "channels": (counted,)}),
        trace().model_copy(update={"sensor": "codecarbon", "channels": (modelled,)}),
    )
    on_cpu, on_gpu = case(), case(device="cuda:0")
    both = run_file([on_cpu, on_gpu], traces=traces, machine=machine(gpus=(gpu,)))
    total = run_totals(both).run
    # 50 W of the GPU for 60 s; the CPU's 30 W are a model's, and package and dram are not measured.
    assert (total.energy_j, total.kind, total.lower_bound) == (pytest.approx(3000.0), "counter", True)
    alone = run_totals(run_file([on_cpu], traces=traces, machine=machine(gpus=(gpu,)))).run
    assert (alone.energy_j, alone.kind, alone.lower_bound) == (pytest.approx(1800.0), "model", False)


def later(original: Trace, by_s: float) -> Trace:
    return original.model_copy(update={"t_s": tuple(t + by_s for t in original.t_s)})


def test_resumed_run_counts_each_start_without_the_pause() -> None:
    file = run_file(traces=(trace(60.0), later(trace(30.0), 1000.0)))
    segments = (Segment(at_s=0.0, monotonic_s=5.0), Segment(at_s=999.0, monotonic_s=1004.0))
    file = file.model_copy(update={"run": file.run.model_copy(update={"segments": segments})})
    assert sampled_windows(file) == [(0.0, 60.0), (1000.0, 1030.0)]
    total = run_totals(file).run
    assert total.energy_j == pytest.approx(50.0 * 90)
    assert total.duration_s == pytest.approx(90.0)
    assert total.reason == run_totals(run_file()).run.reason  # no dram, in either


def test_lost_sensor_makes_a_lower_bound() -> None:
    dram = trace(20.0, power_w=5.0)
    channel = dram.channels[0].model_copy(update={"component": "dram"})
    file = run_file(traces=(trace(60.0), dram.model_copy(update={"sensor": "perf", "channels": (channel,)})))
    total = run_totals(file).run
    assert total.duration_s == pytest.approx(60.0)
    # The package's alone: the memory's 100 J until then are not extrapolated.
    assert total.energy_j == pytest.approx(3000.0)
    assert total.lower_bound
    assert "dram" in (total.reason or "")


def test_wall_meter_that_ends_early_changes_no_total() -> None:
    wall = trace(20.0, power_w=90.0)
    channel = wall.channels[0].model_copy(update={"component": "machine", "scope": "wall"})
    file = run_file(traces=(trace(60.0), wall.model_copy(update={"sensor": "meter", "channels": (channel,)})))
    assert run_totals(file).run == run_totals(run_file()).run
