"""What a reader takes away: the command gives the same page, and the hash is that of the saved file."""

from __future__ import annotations

import hashlib
import re
import shlex
from html import unescape
from pathlib import Path

import pytest
from chromium import Open, download
from command import joulemark
from report_files import full, on_gpu

from joulemark.reports.html import render
from joulemark.suite.records import RunFile, write
from joulemark.suite.results.run_files import parse

CARBON_OPTIONS = ("--zone", "PL", "--pue", "1.3", "--psf", "4", "--offline")


def command_on(page: str) -> list[str]:
    """Return the command on the page that makes the page again."""
    command = re.search(r"<code><bdi>(joulemark report .*?)</bdi>", page)
    assert command
    return shlex.split(unescape(command[1]))


def store(home: Path, *runs: RunFile) -> list[str]:
    """Store runs in a home, and return their ids."""
    for run in runs:
        write(run, home / "runs" / f"{run.run.id}.json")
    return [run.run.id for run in runs]


@pytest.mark.slow
def test_command_on_the_page_makes_the_same_page(tmp_path: Path) -> None:
    first_id, second_id = store(tmp_path, full(), on_gpu())
    for arguments in (
        (first_id,),
        (first_id, second_id, *CARBON_OPTIONS),
        (second_id, first_id, "--anonymous", "--allow-estimates"),
        (first_id, "--intensity", "100..120..140"),
    ):
        done = joulemark(tmp_path, "report", *arguments, "--plotlyjs", "cdn", "-o", "first.html")
        assert done.returncode == 0, done.stderr
        first = (tmp_path / "first.html").read_text(encoding="utf-8")
        command = command_on(first)
        assert command[:2] == ["joulemark", "report"]
        assert sorted(command[2:]) == sorted(arguments)
        # In a process with another order of sets.
        again = (*command[1:], "--plotlyjs", "cdn", "-o", "again.html")
        done = joulemark(tmp_path, *again, variables={"PYTHONHASHSEED": "1"})
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "again.html").read_text(encoding="utf-8") == first


def test_anonymous_page_hides_the_path_of_an_intensity_file() -> None:
    page = render([full()], "cdn", anonymous=True, recomputed=["--intensity", "/home/ada/hours.csv"])
    assert "ada" not in page


@pytest.mark.browser
def test_hash_on_the_page_is_that_of_the_saved_file(tab: Open, tmp_path: Path) -> None:
    (run_id,) = store(tmp_path, full())
    for arguments, name in (((), f"{run_id}.json"), (CARBON_OPTIONS, f"{run_id}-recomputed.json")):
        done = joulemark(tmp_path, "report", run_id, *arguments, "-o", "page.html")
        assert done.returncode == 0, done.stderr
        page = tab((tmp_path / "page.html").read_text(encoding="utf-8")).open()
        suggested, text = download(page, "[data-json]")
        assert suggested == name
        assert hashlib.sha256(text.encode()).hexdigest() in page.locator("#reproduce").inner_text()
        emissions = parse(text, "the saved file").emissions
        assert (emissions.intensity.zone == "PL", emissions.psf == 4) == (bool(arguments), bool(arguments))


@pytest.mark.browser
def test_recomputed_page_shows_its_options(tab: Open) -> None:
    page = tab(render([full()], recomputed=CARBON_OPTIONS)).open()
    for part in ("#overview", "#reproduce"):
        assert "recomputed with --zone PL --pue 1.3 --psf 4" in page.locator(part).inner_text()
    assert page.locator("#whatif [type=reset]").inner_text() == "As recomputed"
    plain = tab(render([full()])).open()
    assert plain.locator("#overview, #reproduce", has_text="recomputed").count() == 0
