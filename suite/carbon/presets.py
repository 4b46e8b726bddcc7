"""Assumptions with a name, a source and a year: PUE of kinds of data centres, emissions of making hardware."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from joulemark.suite.records import Pue

OWN_MACHINE: Final = Pue(
    value=1.0,
    # As in Green Algorithms: a computer at a desk has no machine room around it.
    source="one's own machine (default)",
)

PUES: Final[Mapping[str, Pue]] = MappingProxyType(
    {
        "local": Pue(value=1.0, source="one's own machine"),
        "uptime-2025": Pue(value=1.54, source="Uptime Institute, global survey 2025, average"),
        "uptime-2024": Pue(value=1.56, source="Uptime Institute, global survey 2024, average"),
        "green-algorithms": Pue(
            value=1.67, source="Green Algorithms 2021, unknown data centre (Uptime Institute, survey 2019)"
        ),
        # Low and high of the three below: the providers' published figures for single regions.
        "google": Pue(value=1.10, source="Google, fleet average 2023; range of 12 regions 2024", low=1.07, high=1.16),
        "aws": Pue(value=1.15, source="Amazon, global 2023; range of 22 regions 2024", low=1.07, high=1.46),
        "azure": Pue(
            value=1.185, source="Cloud Carbon Footprint; range of 12 regions by Microsoft 2023", low=1.11, high=1.35
        ),
        "jean-zay": Pue(value=1.2, source="IDRIS Jean Zay, by Luccioni et al. 2022 (arXiv:2211.02001)"),
    }
)
"""Averages that data centres publish. Your own operator knows better."""

SERVER_KG: Final = (500.0, 1000.0, 2000.0)
"""A server without accelerators: low, assumed, high. 1,000 kg is the baseline of the Impact Framework's `sci-embodied`,
after Cloud Carbon Footprint; half and twice stand for the spread between methods and sizes."""

BOARD_KG: Final = (128.0, 150.0, 575.0)
"""An accelerator: low, assumed, high. 128: A100 SXM 40 GB (Falk et al. 2025, arXiv:2509.00093); 150: the Impact
Framework's GPU; 164: an H100 by NVIDIA's own footprint of the HGX board; 575: H100 SXM by Boavizta's method."""

LIFESPAN_YEARS: Final = (3.0, 4.0, 6.0)
"""Shortest, assumed and longest, years: EcoLogits, the SCI's example, BoaviztAPI."""

EMBODIED_SOURCE: Final = (
    "assumed: server 1,000 kg and board 150 kg (Impact Framework sci-embodied); ranges over published methods"
)
