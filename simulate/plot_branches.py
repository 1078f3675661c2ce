"""Branches and phase diagrams in a panel: stable parts solid, unstable ones dashed, events marked."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

MARKERS = {"fold": "s", "transition": "o", "replicon": "^", "entropy_zero": "v", "local_entropy_zero": "<", "complexity_zero": "D"}
WORDS = {
    "replicon": "replicon = 0",
    "entropy_zero": "entropy = 0",
    "local_entropy_zero": "local entropy = 0",
    "complexity_zero": "complexity = 0",
}
ENDS = 1e9  # values beyond are those of a result without a limit, and would flatten everything else


def is_branches(data: xr.Dataset) -> bool:
    """Whether a dataset is what `numerics.branch.Branches.to_xarray` makes."""
    return data.attrs.get("content") == "branches"


def branch_names(data: xr.Dataset) -> list[str]:
    """Results known along the branches."""
    return [str(name) for name, values in data.data_vars.items() if values.dims == ("branch", "step") and name != data.attrs["along"]]


def draw_branches(panel: Any, data: xr.Dataset, name: str) -> None:
    """One result against the control that was followed."""
    if name not in branch_names(data):
        return
    x, y, stable = data[data.attrs["along"]].values, data[name].values, data["stable"].values
    for row, label in enumerate(data["branch"].values):
        color = f"C{row % 10}"
        good = np.isfinite(x[row]) & (np.abs(np.nan_to_num(y[row], nan=np.inf)) < ENDS)
        here = np.flatnonzero(good)
        for first, last, solid in _pieces(stable[row][here]):
            part = here[first : last + 1]
            panel.plot(x[row][part], y[row][part], color=color, linestyle="-" if solid else "--", zorder=2, label=label)
            label = None
    if "event" not in data.dims:
        return
    for kind, marker in MARKERS.items():
        chosen = np.flatnonzero(data["event_kind"].values == kind)
        across = np.repeat(data[f"event_{data.attrs['along']}"].values[chosen], data.sizes["side"])
        values = data[f"event_{name}"].values[chosen].ravel()
        good = np.abs(np.nan_to_num(values, nan=np.inf)) < ENDS
        if good.any():
            style = {"color": "k", "markersize": 5, "fillstyle": "none", "linestyle": "none", "zorder": 4}
            panel.plot(across[good], values[good], marker, label=WORDS.get(kind, kind), **style)


def _pieces(stable: np.ndarray) -> list[tuple[int, int, bool]]:
    """Runs of equal stability: first point, last point, whether stable; neighbours share a point, and a fold (-1) ends both sides."""
    if len(stable) < 2:
        return [(0, len(stable) - 1, bool(stable[0] == 1))] if len(stable) else []
    links = [bool((a == 1 or a == -1) and (b == 1 or b == -1)) for a, b in pairwise(stable)]
    found, start = [], 0
    for k in range(1, len(links) + 1):
        if k == len(links) or links[k] != links[start]:
            found.append((start, k, links[start]))
            start = k
    return found


def draw_diagram(panel: Any, data: xr.Dataset) -> None:
    """Lines of events in the plane of the two controls."""
    first = str(data.attrs["along"])
    columns = [str(name)[5:] for name, v in data.data_vars.items() if v.dims == ("line", "vertex") and name != "line_error"]
    second = next((name for name in columns if name != first), first)
    seen: set[str] = set()
    for row, kind in enumerate(map(str, data["line_kind"].values)):
        word = WORDS.get(kind, kind)
        x, y = (data[f"line_{name}"].values[row] for name in (second, first))
        style = "-" if kind == "transition" else "--" if kind == "fold" else "-."
        panel.plot(x, y, style, color=f"C{list(MARKERS).index(kind)}", label=None if word in seen else word)
        seen.add(word)
    panel.set_xlabel(second)
    panel.set_ylabel(first)
    panel.grid(alpha=0.3)
    panel.legend(fontsize="small")
