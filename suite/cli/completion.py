"""What a shell offers at the tab key: verbs and options by Typer, and values by the functions here.

Each imports what it needs when it is asked, and no framework: a key that takes seconds is not pressed again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, get_args

import typer

VARIABLE: Final = "_JOULEMARK_COMPLETE"
"""The variable by which the shell's script asks: `complete_bash`, or `source_bash` for the script itself."""

Values = Iterable[str | tuple[str, str]]
"""Values, or values with what they mean, which zsh and fish show beside them."""


def is_asked(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a shell asks what may follow."""
    return bool(environment.get(VARIABLE))


def answer(build: Callable[[str | None], typer.Typer], verbs: Sequence[str]) -> int:
    """Print what may follow the words that the shell has passed, and return the exit code. Never print an error: it
    would stand in the command that the user is typing."""
    try:
        app = build(verb_of(os.environ, verbs))
        app([], prog_name="joulemark", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception:  # noqa: BLE001  such as a settings file that does not parse
        return 1
    return 0


def verb_of(environment: Mapping[str, str], verbs: Sequence[str]) -> str | None:
    """Return the verb of the command line that is completed; None while it is the word that is typed."""
    line = environment.get("COMP_WORDS", environment.get("_TYPER_COMPLETE_ARGS", ""))
    words = line.split()
    # Bash passes all words, joined by line ends, and which of them is typed; zsh and fish what is left of the cursor.
    is_typed = (
        environment.get("COMP_CWORD") == "1" if "COMP_WORDS" in environment else words[2:] == [] and line[-1:] != " "
    )
    return words[1] if len(words) > 1 and not is_typed and words[1] in verbs else None


def among(values: Callable[[], Values]) -> Callable[[str], list[str | tuple[str, str]]]:
    """Return what Typer calls to complete a value: those of `values` that begin with what is typed."""

    def complete(incomplete: str) -> list[str | tuple[str, str]]:
        found = values()
        return [each for each in found if (each if isinstance(each, str) else each[0]).startswith(incomplete)]

    return complete


def fixed(*values: str) -> Callable[[str], list[str | tuple[str, str]]]:
    """Return what Typer calls to complete one of these values."""
    return among(lambda: values)


def workloads() -> Values:
    from joulemark.workloads import registry

    return [(workload.id, workload.title) for workload in registry.workloads().values()]


def phases() -> Values:
    from joulemark.workloads.spec import Phase

    return get_args(Phase)


def strategies() -> Values:
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    return list(dict.fromkeys(strategy for framework in FRAMEWORKS.values() for strategy in framework.strategies))


def modes() -> Values:
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    return list(dict.fromkeys(mode for framework in FRAMEWORKS.values() for mode in framework.modes))


def profiles() -> Values:
    from joulemark.suite.plan.profiles import PROFILES
    from joulemark.suite.system import settings_file

    _, own = settings_file.section("profiles")
    return [*PROFILES, *own]


def zones() -> Values:
    from joulemark.suite.carbon.ember import countries

    return [(country.code, country.name) for country in countries().values()]


def runs() -> Values:
    """The ids of the kept runs, the latest first."""
    from joulemark.suite.results.store import kept_runs
    from joulemark.suite.system.directories import find_runs

    return ["latest", *(path.stem for path in reversed(kept_runs(find_runs(None))))]


def saved_baselines() -> Values:
    from joulemark.suite.results import baselines

    return baselines.names()


def baselines() -> Values:
    """What `check` compares with: saved baselines, all kept runs together, or one of them."""
    from joulemark.suite.results.baselines import HISTORY

    return [*saved_baselines(), HISTORY, *runs()]


def references() -> Values:
    from joulemark.suite.results.references.kept import names

    return names()


def sensors() -> Values:
    from joulemark.suite.sensors.base import SENSORS

    return list(SENSORS)


def presets() -> Values:
    from joulemark.suite.carbon.inputs import PUES

    return list(PUES)
