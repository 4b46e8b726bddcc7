"""The names in a run file that other programs rely on."""

from __future__ import annotations

import json

import pytest
from run_files import run_file

from joulemark.suite.results.summary import recompute

CONTRACT = {
    "run": "id started_at finished_at segments command profile suite_version complete order_seed",
    "machine": "fingerprint hostname os cpu memory_bytes gpus frameworks packages",
    "emissions": "intensity pue psf",
    "emissions.intensity": "g_per_kwh source zone interval_start retrieved_at is_estimated basis signal vintage "
    "fallback reason low high",
    "cases.0": "id workload variant workload_version size phase framework mode device precision batch_size threads "
    "allocator item flops_per_item bytes_per_item parameters status reason_code reason notices trials summary",
    "cases.0.trials.0": "round status reason started_s isolation load_s first_call_s compile_cache warmup_steps steady "
    "steps_per_block block_s window_s steps items result peak_memory_bytes counters energy notices",
    "cases.0.trials.0.energy.0": "component scope kind attributed energy_j low_j high_j tick_s samples reason",
    "cases.0.summary": "throughput step_time_s energy_per_item_j net_energy_per_item_j facility_energy_per_item_j "
    "power_w emissions_g_per_1000_items",
    "cases.0.summary.power_w": "value low high unit n kind lower_bound reason ranges",
    "traces.0": "sensor simulated t_s channels",
    "traces.0.channels.0": "component scope unit kind values",
    "idle.0": "when window_s energy",
    "floor.0": "at_s arithmetic_s copy_s",
}


@pytest.mark.parametrize("place", CONTRACT)
def test_names_that_other_programs_rely_on(place: str) -> None:
    original = run_file()
    record = json.loads(recompute(original, original.emissions).model_dump_json())
    for name in place.split("."):
        record = record[int(name) if name.isdigit() else name]
    assert set(CONTRACT[place].split()) <= set(record)
