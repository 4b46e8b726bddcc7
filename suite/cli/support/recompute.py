"""Options that put other carbon inputs in the place of those that a run was measured with.

A run file has its own. Neither joulemark.toml nor the environment, which are about runs to come, replaces them: only
who asks on the command line gets other grams. So these are options of their own, without variables.
"""

from __future__ import annotations

from typing import Annotated

import typer

from joulemark.suite.cli.options import CARBON

Zone = Annotated[
    str | None,
    typer.Option(help="Recompute for this grid zone, such as CH or DE.", rich_help_panel=CARBON),
]
Coordinates = Annotated[
    str | None,
    typer.Option(metavar="LAT,LON", help="Instead of a zone: degrees, such as 47.37,8.54.", rich_help_panel=CARBON),
]
DataCenter = Annotated[
    str | None,
    typer.Option(
        metavar="PROVIDER:REGION", help="Instead of a zone, such as gcp:europe-west6.", rich_help_panel=CARBON
    ),
]
EmissionFactors = Annotated[
    str | None,
    typer.Option(
        help="lifecycle: the whole life of power plants; direct: their operation only.", rich_help_panel=CARBON
    ),
]
Intensity = Annotated[
    str | None,
    typer.Option(
        metavar="G_PER_KWH|FILE",
        help="Your own carbon intensity: g/kWh, LOW..VALUE..HIGH, or a CSV of times and values.",
        rich_help_panel=CARBON,
    ),
]
Pue = Annotated[
    str | None,
    typer.Option(
        metavar="PUE|PRESET",
        help="Power usage effectiveness: a number, LOW..VALUE..HIGH, or local, uptime-2025, green-algorithms, google, "
        "aws, azure, jean-zay.",
        rich_help_panel=CARBON,
    ),
]
Embodied = Annotated[
    str | None,
    typer.Option(
        metavar="KG|assumed",
        help="Charge making the hardware too: kg CO2e of the computer, LOW..VALUE..HIGH, or assumed.",
        rich_help_panel=CARBON,
    ),
]
LifespanYears = Annotated[
    float | None,
    typer.Option(help="Years that the hardware is in use, for --embodied.", rich_help_panel=CARBON),
]
Psf = Annotated[
    float | None,
    typer.Option(
        help="How often the computation is repeated; multiplies the run's totals only.", rich_help_panel=CARBON
    ),
]
