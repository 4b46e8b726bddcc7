"""The groups of tiles at the top of the page: the main values of one task on one device, with its findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.headline import claim
from joulemark.reports.model.pairs import Pair

TILE_COLUMNS = ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w")
"""Columns of the results table that have a tile."""


@dataclass(frozen=True)
class TileGroup:
    """One task on one device, which a reader can choose to see."""

    key: str
    title: str
    detail: str
    item: str
    cases: tuple[CaseView, ...]
    sentences: tuple[str, ...]


def tile_groups(cases: Sequence[CaseView], pairs: Sequence[Pair]) -> tuple[TileGroup, ...]:
    """Return one group for each row of the charts that has a summary, in the order of the table."""
    groups: dict[Group, list[CaseView]] = defaultdict(list)
    for view in cases:
        if view.current and view.case.summary is not None:
            groups[view.group].append(view)
    return tuple(_tile_group(f"g{i}", views, pairs) for i, views in enumerate(groups.values()))


def default_tile_group(groups: Sequence[TileGroup]) -> str:
    """Return the key of the group to open with: most frameworks, then training, then a GPU; empty for no groups."""
    best = max(
        groups,
        key=lambda group: (
            len({view.case.framework for view in group.cases}),
            group.cases[0].case.phase == "training",
            group.cases[0].case.device != "cpu",
        ),
        default=None,
    )
    return best.key if best else ""


def _tile_group(key: str, views: Sequence[CaseView], pairs: Sequence[Pair]) -> TileGroup:
    keys = {view.key for view in views}
    sentences = tuple(_sentence(pair) for pair in pairs if {pair.first.key, pair.second.key} <= keys)
    return TileGroup(key, views[0].title, views[0].detail, views[0].case.item, tuple(views), sentences)


def _sentence(pair: Pair) -> str:
    text = claim(pair.first.name, pair.second.name, pair.throughput, pair.energy)
    mode_note = "" if pair.same_mode_class else " The two modes are different kinds of execution."
    return text[0].upper() + text[1:] + mode_note
