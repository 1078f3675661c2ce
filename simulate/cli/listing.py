"""`replica list`: the ingredients of every slot, the papers and the catalog."""

from __future__ import annotations

import importlib
import inspect
import json
import tomllib
from argparse import Namespace

from replica.ingredients import kinds
from replica.papers import papers
from replica.spec import catalog
from replica.spec.errors import nearest
from simulate.algorithms import ALGORITHMS
from simulate.cli.request import RequestError

SLOTS = ("priors", "channels", "losses", "regularizers", "activations", "laws", "networks", "protocols", "ensembles", "algorithms")


def ingredients(slot: str) -> dict[str, str]:
    """Kind -> first sentence of its docstring and the keys it takes, for one slot."""
    found = {}
    for name, kind in kinds(importlib.import_module(f"replica.{slot}")).items():
        if slot == "algorithms" and name not in ALGORITHMS:
            continue  # a word of the language that nothing runs yet
        sentence = (inspect.getdoc(kind) or "").split("\n")[0].rstrip(".")
        keys = " ".join(entry.key for entry in kind.parameters())
        found[name] = sentence + (f"  ({keys})" if keys else "")
    return found


def catalog_titles() -> dict[str, str]:
    """Catalog name -> the name written in the file."""
    return {name: str(tomllib.loads(path.read_text(encoding="utf-8"))["name"]) for name, path in catalog().items()}


def paper_titles() -> dict[str, str]:
    """Paper -> what it is."""
    return {name: paper.citation for name, paper in papers().items()}


def contents() -> dict[str, dict[str, str]]:
    """Everything that can be listed."""
    return {**{slot: ingredients(slot) for slot in SLOTS}, "papers": paper_titles(), "catalog": catalog_titles()}


def run(options: Namespace) -> int:
    """Print one group, or all of them.

    Raises:
        RequestError: there is no such group.
    """
    groups = contents()
    if options.what is not None:
        if options.what not in groups:
            raise RequestError(f"list: no group '{options.what}' (groups: {' '.join(groups)}){nearest(options.what, groups)}")
        groups = {options.what: groups[options.what]}
    if options.json:
        print(json.dumps(groups, indent=1))
        return 0
    for number, (group, entries) in enumerate(groups.items()):
        print(("\n" if number else "") + group)
        width = max(map(len, entries), default=0)
        for kind, sentence in entries.items():
            print(f"  {kind:<{width}}  {sentence}")
        if not entries:
            print("  none yet")
    return 0
