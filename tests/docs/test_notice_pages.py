"""docs/notices/: a page for each notice, whose texts are those of suite/notices.toml. `--write` makes them so."""

from __future__ import annotations

import re
import sys

import pytest
from places import DOCS, ROOT

from joulemark.suite.carbon.provenance import STALE_AFTER_H
from joulemark.suite.carbon.resolve import OLD_AFTER_YEARS
from joulemark.suite.energy import sensor_checks
from joulemark.suite.energy.window_energy import UPDATES_NEEDED
from joulemark.suite.notices import INVALIDATING, Code
from joulemark.suite.results import counter_notices, validity
from joulemark.suite.results.ranks.slowest import SLOWER
from joulemark.suite.trial.gpu_busy import BUSY_SHARE, LAUNCH_BOUND_RATIO

FOLDER = DOCS / "notices"
INDEX = FOLDER / "index.md"
CONFIG = ROOT / "mkdocs.yml"
END = "<!-- above: suite/notices.toml, by `python tests/docs/test_notice_pages.py --write`; below: by hand -->\n"
LIST, END_OF_LIST = "<!-- notices -->\n", "<!-- end of notices -->\n"
NAV, END_OF_NAV = "      - notices/index.md\n", "  - security.md\n"

THRESHOLDS = {
    Code.OLD_INTENSITY: f"{OLD_AFTER_YEARS} years",
    Code.STALE_INTENSITY: f"{STALE_AFTER_H:g} hours",
    Code.TOO_FEW_TRIALS: f"fewer than {validity.MIN_TRIALS} ",
    Code.HIGH_VARIANCE: f"{validity.HIGH_VARIATION:.0%}",
    Code.OUTPUTS_DIFFER: f"{validity.OUTPUT_TOLERANCE['fp32']:.0e} in fp32, {validity.OUTPUT_TOLERANCE['bf16']:g}",
    Code.IDLE_DRIFT: f"{validity.IDLE_DRIFT:.0%}",
    Code.TOO_SHORT_FOR_SENSOR: f"{UPDATES_NEEDED:g} updates",
    Code.SENSORS_DISAGREE: f"{sensor_checks.RESIDUAL:.0%}",
    Code.BOARD_CLOCK_MOVED: f"{sensor_checks.CLOCK_MOVED:.0%}",
    Code.LAUNCH_BOUND: f"{BUSY_SHARE:.0%} of a step, and twice the batch size makes {LAUNCH_BOUND_RATIO:g} times",
    Code.GPU_IDLE: f"{BUSY_SHARE:.0%} of a step",
    Code.MEMORY_CHURN: f"{counter_notices.CHURN_FAULTS:g} page faults and {counter_notices.CHURN_SHARE:.0%}",
    Code.MACHINE_BUSY: f"{counter_notices.BUSY_SHARE:.0%}",
    Code.CGROUP_THROTTLED: f"{counter_notices.THROTTLED_SHARE:.0%}",
    Code.NOISY_FLOOR: f"{validity.FLOOR_VARIATION:.0%}",
    Code.MODE_DIFFERS: f"{validity.MODE_TOLERANCE:g}",
    Code.TRAINING_DRIFT: f"{validity.TRAINING_DRIFT:.0%}",
    Code.RANK_SLOWER: f"{SLOWER:.2f} times",
}
"""What the part by hand says of the code's thresholds."""


def shown(message: str) -> str:
    """Return a message with a mark for what is filled in."""
    return re.sub(r"\{[^}]*\}", "…", message)


def head(code: Code) -> str:
    """Return the part of a page that follows from the texts."""
    valid = (
        "A case with this notice is not valid: with `--strict`, `run` exits with 4."
        if code in INVALIDATING
        else "It leaves a case valid."
    )
    return (
        f"# {code}\n\n> {shown(code.message)}\n\n**What follows.** {code.consequence} {valid}\n\n"
        f"**What to do.** {code.remedy}\n\n**More:** [{code.docs}](../{code.docs})\n\n{END}"
    )


def listed() -> str:
    """Return the list of all notices, by the page that says more."""
    lines = []
    for page in dict.fromkeys(code.docs for code in Code):
        lines += [f"\n## {page.removesuffix('.md').capitalize()}\n", "| notice | message |", "|---|---|"]
        lines += [f"| [`{code}`]({code}.md) | {shown(code.message)} |" for code in Code if code.docs == page]
    return "\n".join(lines).replace("Gpu\n", "GPU\n").replace("Ab\n", "A/B runs\n").lstrip("\n") + "\n\n"


def navigation() -> str:
    """Return the notices' lines in the site's navigation."""
    return "".join(f"      - notices/{code}.md\n" for code in Code)


def between(text: str, begin: str, end: str) -> tuple[str, str, str]:
    """Return what is up to `begin`, between it and `end`, and from `end` on."""
    before, begin, rest = text.partition(begin)
    inside, end, after = rest.partition(end)
    assert begin, "the beginning is missing"
    assert end, "the end is missing"
    return before + begin, inside, end + after


@pytest.mark.parametrize("code", list(Code))
def test_page_is_in_step(code: Code) -> None:
    text = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(head(code)), "run: python tests/docs/test_notice_pages.py --write"
    by_hand = text.removeprefix(head(code))
    assert len(by_hand.split()) > 15, "it says no more than the notice"
    assert THRESHOLDS.get(code, "") in " ".join(by_hand.split())


def test_there_is_no_other_page() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {*Code, "index"}


def test_index_and_navigation_are_in_step() -> None:
    assert between(INDEX.read_text(encoding="utf-8"), LIST, END_OF_LIST)[1] == listed()
    assert between(CONFIG.read_text(encoding="utf-8"), NAV, END_OF_NAV)[1] == navigation()


def write() -> None:
    """Write all parts that follow from the texts, and keep those by hand."""
    for code in Code:
        path = FOLDER / f"{code}.md"
        by_hand = path.read_text(encoding="utf-8").partition(END)[2] if path.exists() else "\n"
        path.write_text(head(code) + by_hand, encoding="utf-8")
    for path, begin, end, made in ((INDEX, LIST, END_OF_LIST, listed()), (CONFIG, NAV, END_OF_NAV, navigation())):
        before, _, after = between(path.read_text(encoding="utf-8"), begin, end)
        path.write_text(before + made + after, encoding="utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    write()
