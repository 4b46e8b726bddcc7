"""What a reader takes away: the command gives the same page, and the hash is that of what the button saves."""

from __future__ import annotations

import hashlib
import re
import shlex
from html import unescape
from pathlib import Path

from chromium import Open
from command import joulemark
from report_files import full, on_gpu

from joulemark.reports.html import render
from joulemark.suite.records import RunFile, parse, write

CARBON = ("--zone", "PL", "--pue", "1.3", "--psf", "4", "--offline")


def said(page: str) -> list[str]:
    """The words of the command that makes the page again."""
    found = re.search(r"Make this page again.*?<bdi>(.*?)</bdi>", page, re.DOTALL)
    assert found
    return shlex.split(unescape(found[1]))


def kept(home: Path, *runs: RunFile) -> list[str]:
    """Runs kept in a home; their ids."""
    for run in runs:
        write(run, home / "runs" / f"{run.run.id}.json")
    return [run.run.id for run in runs]


def test_the_command_on_the_page_makes_the_page(tmp_path: Path) -> None:
    one, other = kept(tmp_path, full(), on_gpu())
    for arguments in (
        (one,),
        (one, other, *CARBON),
        (other, one, "--anonymous", "--allow-estimates"),
        (one, "--intensity", "100..120..140"),
    ):
        done = joulemark(tmp_path, "report", *arguments, "--plotlyjs", "cdn", "-o", "first.html")
        assert done.returncode == 0, done.stderr
        first = (tmp_path / "first.html").read_text(encoding="utf-8")
        command = said(first)
        assert command[:2] == ["joulemark", "report"]
        assert sorted(command[2:]) == sorted(arguments)
        done = joulemark(tmp_path, *command[1:], "--plotlyjs", "cdn", "-o", "again.html")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "again.html").read_text(encoding="utf-8") == first


def test_an_anonymous_page_names_no_file_of_intensities() -> None:
    page = render([full()], "cdn", anonymous=True, recomputed=["--intensity", "/home/ada/hours.csv"])
    assert "ada" not in page


def test_the_hash_is_of_what_the_button_saves(tab: Open, tmp_path: Path) -> None:
    (one,) = kept(tmp_path, full())
    for arguments, name in (((), f"{one}.json"), (CARBON, f"{one}-recomputed.json")):
        done = joulemark(tmp_path, "report", one, *arguments, "-o", "page.html")
        assert done.returncode == 0, done.stderr
        page = tab((tmp_path / "page.html").read_text(encoding="utf-8")).open()
        with page.expect_download() as download:
            page.locator("[data-json]").click()
        saved = Path(download.value.path()).read_bytes()
        assert hashlib.sha256(saved).hexdigest() in page.locator("#reproduce").inner_text()
        assert download.value.suggested_filename == name
        emissions = parse(saved.decode(), "what was saved").emissions
        assert (emissions.intensity.zone == "PL", emissions.psf == 4) == (bool(arguments), bool(arguments))


def test_a_recomputed_page_says_so(tab: Open, tmp_path: Path) -> None:
    page = tab(render([full()], recomputed=CARBON)).open()
    for part in ("#answer", "#reproduce"):
        assert "recomputed with --zone PL --pue 1.3 --psf 4" in page.locator(part).inner_text()
    assert page.locator("#whatif [type=reset]").inner_text() == "As recomputed"
    assert "recomputed" not in tab(render([full()])).open().locator("main").inner_text()
