"""The passes over one loop that a scope makes, and what an earlier one stores so that later ones need not compute it again.

A maximum, the sums shifted by it and the averages centered by those read the same nodes one after another.  Expensive records that
several passes share are computed once: the fewest arrays from which later passes go on with cheap operations, a minimal vertex cut.
In the same way, what a loop with loops inside computes from its own variable alone goes to a pass of its own, which is vectorised.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from numerics.graph.records import COST, EXPENSIVE, Graph
from numerics.graph.schedule import Level, bodies, fuse

ALONE = 60  # flops of a loop's own variable from which a pass of their own is worth its arrays
_NO_ARRAY = frozenset({"neg", "lt", "le", "eq", "ne", "and", "or"})  # written where they are read


@dataclass
class Pass:
    """One run of a loop: what it computes, after `rank` others of its scope."""

    rank: int
    loop: int
    tasks: list[int]


def passes(graph: Graph, level: Level, kept: dict[int, int], split: bool, spill: bool) -> list[Pass]:
    """The passes of a level in their order.  With `spill`, records stored for later passes join the tasks, and `kept`."""
    found = [
        Pass(rank, loop, group)
        for rank in sorted(level.tasks)
        for loop, tasks in sorted(level.tasks[rank].items())
        for group in (fuse(graph, loop, tasks, kept) if split else [list(tasks)])
    ]
    if not spill:
        return found
    planned: list[Pass] = []
    for i, this in enumerate(found):
        planned += _own_pass(graph, level, this, kept)
        planned.append(this)
        later = [other for other in found[i + 1 :] if other.loop == this.loop]
        if later:
            stored = _shared(graph, level, this, later, kept)
            kept.update(dict.fromkeys(stored, this.loop))
            this.tasks += stored
    return planned


def _below(graph: Graph, level: Level, runs: Iterable[Pass], kept: dict[int, int]) -> set[int]:
    """Records that passes over one loop compute anew for each of its nodes."""
    seen: set[int] = set()
    for run in runs:
        stack = [r for t in run.tasks for r in bodies(graph, run.loop, t)]
        while stack:
            r = stack.pop()
            if r in seen or not graph.mask[r] >> run.loop & 1 or level.read(r):
                continue
            if kept.get(r) == run.loop and r not in run.tasks:
                continue
            seen.add(r)
            stack.extend(graph.inputs(r))
    return seen


def _shared(graph: Graph, level: Level, this: Pass, later: list[Pass], kept: dict[int, int]) -> list[int]:
    """What `this` pass stores for `later` ones."""
    wanted = _below(graph, level, later, kept)
    shared = {r for r in _below(graph, level, [this], kept) & wanted if graph.op[r] in EXPENSIVE}
    if not shared:
        return []
    known = {r for r in wanted if level.rank[r] < this.rank}
    tops = {r for run in later for t in run.tasks for r in bodies(graph, run.loop, t)}
    return _cut(graph, level.scope | 1 << this.loop, wanted, known, tops, shared)


def _own_pass(graph: Graph, level: Level, this: Pass, kept: dict[int, int]) -> list[Pass]:
    """A pass before `this` one for what needs no loop inside, if `this` has loops inside and there is enough of it."""
    wanted, around = _below(graph, level, [this], kept), level.scope | 1 << this.loop
    flat: set[int] = set()
    for r in sorted(wanted):
        sums = graph.op[r] in ("red", "redmax") or graph.mask[r] & ~around
        if not sums and all(a in flat for a in graph.inputs(r) if a in wanted):
            flat.add(r)
    expensive = {r for r in flat if graph.op[r] in EXPENSIVE}
    if len(flat) == len(wanted) or sum(COST[graph.op[r]] for r in expensive) < ALONE:
        return []
    tops = {r for t in this.tasks for r in bodies(graph, this.loop, t)}
    stored = _cut(graph, around, wanted, flat, tops, expensive)
    kept.update(dict.fromkeys(stored, this.loop))
    return [Pass(this.rank, this.loop, stored)] if stored else []


def _cut(graph: Graph, around: int, wanted: set[int], known: set[int], tops: set[int], sources: set[int]) -> list[int]:
    """The fewest records of `known` through which everything passes that the rest of `wanted` and `tops` need of `sources`.

    Args:
        around: mask of the loops that run; what depends on others can be no element of an array.
    """

    def storable(r: int) -> bool:
        return not graph.mask[r] & ~around and graph.op[r] not in _NO_ARRAY

    read, ends = set(tops), set()
    for r in sorted(wanted, reverse=True):
        if r not in known or (r in read and not storable(r)):
            read.update(graph.inputs(r))
        elif r in read:
            ends.add(r)
    # units of flow run from ends down to sources; each record is an entry and an exit, one unit wide if it can be stored
    through: dict[int, int] = {}
    into: dict[int, dict[int, int]] = {}  # units that arrive at an input, by the records that read it
    while True:
        back: dict[tuple[int, bool], tuple[int, bool] | None] = dict.fromkeys(((r, False) for r in sorted(ends)), None)
        queue, last = deque(back), None
        while queue:
            r, exits = state = queue.popleft()
            if exits and r in sources:
                last = state
                break
            steps = [(a, False) for a in graph.inputs(r) if a in known] if exits else [(c, True) for c, n in into.get(r, {}).items() if n]
            if through.get(r, 0) if exits else not (through.get(r, 0) and storable(r)):
                steps.append((r, not exits))
            for step in steps:
                if step not in back:
                    back[step] = state
                    queue.append(step)
        if last is None:
            return sorted(r for r in known if (r, False) in back and (r, True) not in back)
        state = last
        while (before := back[state]) is not None:
            (r, exits), a = before, state[0]
            if r == a:
                through[r] = through.get(r, 0) + (-1 if exits else 1)
            elif exits:
                into.setdefault(a, {})[r] = into.get(a, {}).get(r, 0) + 1
            else:
                into[r][a] -= 1
            state = before
