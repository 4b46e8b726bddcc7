"""Says which joulemark an interpreter has in it, its frameworks, its workloads, and how its trials are asked.

Run as `python -P -m joulemark.suite.trial.identify [boards]`; prints one line of JSON. Versions are metadata; with
`boards` each framework is asked for its devices too, in a throw-away process.
"""

from __future__ import annotations

import json
import platform
import sys

from joulemark import __version__
from joulemark.suite.trial.discover import installed_frameworks, packages
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.request import protocol
from joulemark.workloads.registry import supports, workloads


def main(arguments: list[str]) -> None:
    """Print what is known, without importing a framework here."""
    frameworks = installed_frameworks(list(FRAMEWORKS), {}, boards="boards" in arguments)
    facts = {
        "suite_version": __version__,
        "python": platform.python_version(),
        "protocol": protocol(),
        "frameworks": {name: info.model_dump() for name, info in frameworks.items()},
        "packages": packages(),
        "workloads": {
            workload.id: {name: workload.version(name) for name in FRAMEWORKS if supports(workload, name)}
            for workload in workloads().values()
        },
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1:])
