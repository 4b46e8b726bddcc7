"""AMD's GPUs as they are listed through the real amdsmi package, and their names under any visible devices."""

from __future__ import annotations

from pathlib import Path

import amdsmi_library
from gpu_inventory import Inventory, discover

ONE, _, THREE = (f"GPU-AB{n:014X}" for n in (1, 2, 3))


def _discover(rocm_path: Path, home: Path, traits: str, *selections: dict[str, str]) -> list[Inventory]:
    return discover(amdsmi_library.environment(rocm_path, home, traits), selections or ({},))


def test_gpus_are_listed_with_their_bus_and_memory(rocm_path: Path, tmp_path: Path) -> None:
    ((gpu,),) = (inventory.gpus for inventory in _discover(rocm_path, tmp_path, ""))
    facts = ("uuid", "device", "pci_bus_id", "name", "memory_bytes", "driver")
    assert [gpu[fact] for fact in facts] == [
        *("amd-1", "cuda:0", "0000:01:04.0", "AMD Instinct MI300X", 192 * 2**30, "6.14.14")
    ]


def test_no_gpus_without_the_compute_device(rocm_path: Path, tmp_path: Path) -> None:
    (inventory,) = discover(amdsmi_library.environment(rocm_path, tmp_path), kfd=tmp_path / "absent")
    assert inventory.gpus == []


SELECTIONS: list[tuple[dict[str, str], list[int | None]]] = [
    ({}, [0, 1, 2]),
    ({"HIP_VISIBLE_DEVICES": "2,0"}, [1, None, 0]),
    ({"CUDA_VISIBLE_DEVICES": "2,0"}, [1, None, 0]),
    ({"HIP_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "0"}, [None, 0, None]),
    ({"HIP_VISIBLE_DEVICES": "", "CUDA_VISIBLE_DEVICES": "0"}, [0, None, None]),
    ({"HIP_VISIBLE_DEVICES": ""}, [0, 1, 2]),
    ({"HIP_VISIBLE_DEVICES": "-1"}, [None, None, None]),
    ({"HIP_VISIBLE_DEVICES": THREE}, [None, None, 0]),
    ({"ROCR_VISIBLE_DEVICES": "1,2"}, [None, 0, 1]),
    ({"ROCR_VISIBLE_DEVICES": ""}, [None, None, None]),
    ({"ROCR_VISIBLE_DEVICES": f"{THREE.lower()},0"}, [1, None, 0]),
    ({"ROCR_VISIBLE_DEVICES": "2,7,0"}, [None, None, 0]),
    ({"ROCR_VISIBLE_DEVICES": "GPU-AB"}, [None, None, None]),
    # HIP numbers anew what ROCR leaves.
    ({"ROCR_VISIBLE_DEVICES": "2,1", "HIP_VISIBLE_DEVICES": "1"}, [None, 0, None]),
    ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "1"}, [None, None, None]),
]


def test_gpus_are_matched_under_any_visible_devices(rocm_path: Path, tmp_path: Path) -> None:
    inventories = _discover(rocm_path, tmp_path, "three", *(selection for selection, _ in SELECTIONS))
    for (selection, numbers), inventory in zip(SELECTIONS, inventories, strict=True):
        assert [gpu["uuid"] for gpu in inventory.gpus] == ["amd-1", "amd-2", "amd-3"]
        assert inventory.devices == [None if n is None else f"cuda:{n}" for n in numbers], selection


def test_devices_are_numbered_in_the_order_of_the_drivers_topology(rocm_path: Path, tmp_path: Path) -> None:
    (inventory,) = _discover(rocm_path, tmp_path, "three crossed")
    assert inventory.devices == ["cuda:2", "cuda:1", "cuda:0"]
    (inventory,) = _discover(rocm_path, tmp_path, "three crossed no_topology")
    assert inventory.devices == ["cuda:0", "cuda:1", "cuda:2"]


def test_gpu_without_a_unique_id_cannot_be_selected_by_it(rocm_path: Path, tmp_path: Path) -> None:
    (inventory,) = _discover(rocm_path, tmp_path, "three no_serial", {"ROCR_VISIBLE_DEVICES": ONE})
    assert inventory.devices == [None, None, None]
