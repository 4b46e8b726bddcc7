"""Plotly templates for light and dark pages: the style that all figures share."""

from __future__ import annotations

from typing import Any

from joulemark.reports.markers import NEUTRAL

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_ABOVE_PLOT = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"}


def _template(ink: str, muted: str, line: str, panel: str, ground: str) -> dict[str, Any]:
    axis = {
        "automargin": True,
        "gridcolor": line,
        "linecolor": muted,
        "zerolinecolor": muted,
        "tickcolor": muted,
        "tickfont": {"color": ink},
        "title": {"font": {"color": muted, "size": 12}, "standoff": 8},
    }
    error = {"thickness": 2, "width": 5}
    return {
        "data": {"scatter": [{"error_x": error, "error_y": error, "textfont": {"size": 10}}]},
        "layout": {
            "font": {"family": FONT, "size": 12, "color": ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [NEUTRAL],
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"bgcolor": panel, "bordercolor": muted, "font": {"color": ink}, "align": "left"},
            "shapedefaults": {"fillcolor": ground},
            "hovermode": "closest",
            "legend": {"font": {"color": ink}, "bgcolor": "rgba(0,0,0,0)", "traceorder": "normal", **_ABOVE_PLOT},
        },
    }


# The same values as the custom properties of assets/report.css.
TEMPLATES = {
    "light": _template("#14181d", "#56606d", "#e3e7ec", "#f6f7f9", "#ffffff"),
    "dark": _template("#e8ebef", "#9aa5b1", "#2b333c", "#1a2027", "#111418"),
}
