"""The mutation study's table is what its kept run says, and each mutant still fits the code."""

from __future__ import annotations

import json

import pytest
from places import ROOT

from joulemark.workloads.registry import workloads
from studies.mutants.definitions import FILES, FOLDER, StudyError, read
from studies.mutants.page import PAGE, RESULTS, parts, table

MUTANTS = read()


def test_the_table_is_that_of_the_run() -> None:
    assert list(parts(PAGE.read_text()))[1] == table(MUTANTS, json.loads(RESULTS.read_text()))


def test_each_mutant_was_run_and_detected() -> None:
    outcomes = {name: row["outcome"] for name, row in json.loads(RESULTS.read_text())["mutants"].items()}
    assert outcomes == dict.fromkeys(MUTANTS, "killed")


def test_each_workload_has_a_fault_on_both_sides() -> None:
    assert {m.workload for m in MUTANTS.values() if m.side in ("both", "spec", "both, kit")} >= workloads().keys()


def test_each_mutant_fits_the_code() -> None:
    misfits = []
    for mutant in MUTANTS.values():
        texts: dict[str, str] = {}
        for edit in mutant.edits:
            text = texts.setdefault(edit.file, (ROOT / edit.file).read_text())
            if text.count(edit.old) != 1:
                misfits.append(f"{mutant.id}: {edit.file} has {text.count(edit.old)} times {edit.old}")
            texts[edit.file] = text.replace(edit.old, edit.new)
        for file, text in texts.items():
            compile(text, file, "exec")
        misfits += [f"{mutant.id}: no {test}" for test in mutant.tests if not (ROOT / test).exists()]
    assert misfits == []


def test_files_are_all_read() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(FILES)


def test_two_mutants_of_one_id_are_refused(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('[x]\nfault = "y"\nedits = []\n')
    with pytest.raises(StudyError, match="two mutants have the id x"):
        read(tmp_path, ("a", "b"))
