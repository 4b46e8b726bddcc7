"""Nodes are told apart by machine id, boot id and GPUs, whatever their host names."""

from __future__ import annotations

import hashlib

from joulemark.suite.cluster.identity import Identity, identify, matches, share_machine
from joulemark.suite.system.clock import boot_id


def test_the_machine_id_is_not_passed_on(tmp_path) -> None:
    (tmp_path / "id").write_text("0123456789abcdef0123456789abcdef\n")
    found = identify(["GPU-1"], [str(tmp_path / "absent"), str(tmp_path / "id")])
    digest = hashlib.sha256(b"joulemark 0123456789abcdef0123456789abcdef").hexdigest()[:16]
    assert found == Identity(machine=digest, boot_id=boot_id(), boards=("GPU-1",))


def test_containers_without_a_machine_id_share_a_boot(tmp_path) -> None:
    a, b = (identify([], [str(tmp_path / "absent")]) for _ in range(2))
    assert a.machine == ""
    assert share_machine(a, b)
    assert not share_machine(Identity(machine="m", boot_id="1"), Identity(machine="m", boot_id="2"))
    assert not share_machine(Identity(machine="", boot_id=""), Identity(machine="", boot_id=""))


def test_a_node_is_found_after_it_was_booted() -> None:
    earlier = [Identity(machine="a", boot_id="1"), Identity(machine="b", boot_id="2")]
    now = [Identity(machine="b", boot_id="9"), Identity(machine="a", boot_id="1")]
    assert matches(earlier, now) == {0: 1, 1: 0}


def test_clones_are_not_taken_for_each_other() -> None:
    """Two booted copies of one image have one machine id: without the same boot nobody can say which is which."""
    earlier = [Identity(machine="image", boot_id="1"), Identity(machine="image", boot_id="2")]
    now = [Identity(machine="image", boot_id="2"), Identity(machine="image", boot_id="3")]
    assert matches(earlier, now) == {0: 1, 1: 0}  # one is known by its boot, and the other is what is left
    assert matches(earlier, [Identity(machine="image", boot_id=id) for id in "34"]) == {}


def test_gpus_tell_clones_apart() -> None:
    earlier = [
        Identity(machine="image", boot_id="1", boards=("A",)),
        Identity(machine="image", boot_id="2", boards=("B",)),
    ]
    now = [Identity(machine="image", boot_id="3", boards=("B",)), Identity(machine="image", boot_id="4", boards=("A",))]
    assert matches(earlier, now) == {0: 1, 1: 0}
