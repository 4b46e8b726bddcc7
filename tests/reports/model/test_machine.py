"""The headline for one machine on the page."""

from __future__ import annotations

import re

from report_files import full, on_gpu, report_inputs, several_batch_sizes
from run_files import case, run_file, trial

from joulemark.reports.model import build
from joulemark.reports.model.machine import machine_name
from joulemark.reports.model.run_facts import environment_facts
from joulemark.suite.records import Settings
from joulemark.suite.results.references.kept import load


def test_headline_of_a_machine_holds_what_a_buyer_asks() -> None:
    (machine,) = build([load("h200").runs[0]]).machines
    facts = {fact.term: fact for fact in machine.facts}
    assert machine.name == "NVIDIA H200"
    assert "FLOP/s" in facts["measured peak, cuda:0 fp32"].value
    assert "vision" in facts["share of the attainable speed"].value
    assert "W idle" in facts["power, cuda:0"].value
    trained = facts["training, per image"]
    assert trained.value.startswith("≥90")  # docs/results: 0.0902 J an image
    assert trained.grams.endswith("CO₂e")


def test_estimates_are_marked_and_have_no_false_digits() -> None:
    (machine,) = build([load("epyc-2-cores").runs[0]]).machines
    trained = next(fact for fact in machine.facts if fact.term == "training, per image")
    assert re.fullmatch(r"~[1-9][0-9]0* mJ", trained.value)  # two digits: it may be off by a factor
    assert trained.grams.startswith("~")


def test_peaks_under_several_numbers_of_threads_name_these() -> None:
    run = full()
    one = run.probes[0].model_copy(update={"threads": 1})
    run = run.model_copy(update={"probes": (*run.probes, one)})
    terms = [fact.term for fact in build([run]).machines[0].facts if fact.term.startswith("measured peak, cpu fp32")]
    assert sorted(terms) == ["measured peak, cpu fp32, 1 thread", "measured peak, cpu fp32, 2 threads"]
    alone = [fact.term for fact in build([full()]).machines[0].facts if fact.term.startswith("measured peak")]
    assert alone == ["measured peak, cpu fp32"]


def test_settings_of_a_run_are_plain_words() -> None:
    settings = Settings(over={"threads": (1, 2), "mode": ("eager", "compile")}, workload=("cnn",), allow_estimates=True)
    run = full().model_copy(update={"settings": settings})
    facts = dict(dict(environment_facts(run, False))["Settings"])
    assert facts == {"over": "threads: 1, 2; mode: eager, compile", "workload": "cnn", "allow estimates": "yes"}


def test_facts_that_were_not_measured_are_left_out() -> None:
    (machine,) = build(report_inputs()["no-sensors"]).machines
    assert not [fact for fact in machine.facts if fact.term.startswith(("power", "peak"))]
    assert build(report_inputs()["no-cases"]).machines[0].facts == ()


def test_best_and_worst_case_of_one_name_are_told_apart() -> None:
    """They differ in batch size alone, and reach so little that whole percentages would be 0."""
    run = several_batch_sizes()
    probes = tuple(each.model_copy(update={"flops_per_s": 1e15, "bytes_per_s": 1e12}) for each in full().probes)
    (machine,) = build([run.model_copy(update={"probes": probes})]).machines
    fact = next(fact for fact in machine.facts if fact.term == "best and worst case")
    assert re.fullmatch(
        r"cnn training, PyTorch eager, batch 32 0\.0*\d\d%; cnn training, PyTorch eager, batch 8 0\.0*\d\d%", fact.value
    )
    assert not re.search(r"\b0%", " ".join(fact.value for fact in machine.facts))


def test_rate_of_no_machine_has_no_year() -> None:
    fast = case(trials=[trial(1, 100.0).model_copy(update={"items": 10**18})])
    assert build([run_file([fast])]).years == ()


def test_name_is_of_what_was_used() -> None:
    assert machine_name(full()) == "Test CPU, 2 cores"
    assert machine_name(on_gpu()) == "Test GPU"
    assert build(report_inputs()["twelve-runs"]).machines == ()
