"""What is computed where: arrays worth keeping, order of loops, which sums share a loop."""

from __future__ import annotations

from collections.abc import Iterable

from numerics.graph.records import COST, EXPENSIVE, Graph

KEEP_ABOVE = 6  # flops from which reloading beats recomputing
STORES = 2  # arrays written by one loop; more and alias checks prevent vectorisation
FUSED = 400  # flops of bodies that may share a loop without sharing work


def stored_arrays(graph: Graph, roots: Iterable[int], keep_above: int = KEEP_ABOVE) -> dict[int, int]:
    """{record: loop} of the records that are kept in an array over one loop.

    Two kinds: exponents whose maximum is taken first, and records that depend on one loop only but stand inside others.  A negated
    record is never kept, its argument is: signs are written where they are read, and both signs share one array.
    """
    kept: dict[int, int] = {}
    reached = reachable(graph, roots)
    for r in reached:
        if graph.op[r] not in ("red", "redmax"):
            continue
        outside = graph.mask[r]
        if outside:
            _keep_maximal(graph, graph.inputs(r), graph.args[r][0], keep_above, kept)
    for r in reached:
        if graph.op[r] == "redmax":
            loop, body = graph.args[r][0], unsigned(graph, graph.args[r][1])
            if body not in kept and cost(graph, body, loop, kept) > keep_above:
                kept[body] = loop
    return kept


def unsigned(graph: Graph, r: int) -> int:
    """`r` without its sign."""
    return graph.args[r][0] if graph.op[r] == "neg" else r


def _keep_maximal(graph: Graph, bodies: Iterable[int], loop: int, keep_above: int, kept: dict[int, int]) -> None:
    alone, seen, stack = 1 << loop, set(), list(bodies)
    while stack:
        r = stack.pop()
        if r in seen or not graph.mask[r] >> loop & 1:
            continue
        seen.add(r)
        if graph.mask[r] == alone and graph.op[r] not in ("lt", "le", "eq", "ne", "and", "or", "neg"):
            if cost(graph, r, loop, {}) > keep_above:
                kept[r] = loop
        else:
            stack.extend(graph.inputs(r))


def reachable(graph: Graph, roots: Iterable[int]) -> list[int]:
    """Records below `roots`, in order of evaluation."""
    seen, stack = set(), list(roots)
    while stack:
        r = stack.pop()
        if r not in seen:
            seen.add(r)
            stack.extend(graph.inputs(r))
    return sorted(seen)


def cost(graph: Graph, r: int, loop: int, kept: dict[int, int]) -> int:
    """Flops of `r` that are done once per node of `loop`."""
    total, seen, stack = 0, set(), [r]
    while stack:
        a = stack.pop()
        if a in seen or not graph.mask[a] >> loop & 1:
            continue
        seen.add(a)
        if graph.op[a] == "node" or (a in kept and a != r):
            continue
        total += COST.get(graph.op[a], 1)
        stack.extend(graph.inputs(a))
    return total


class Level:
    """The records of one scope, ranked by how many loops of this scope must have run before.

    Args:
        scope: mask of the loops that are running.
        targets: records to be computed for this scope.
        have: records that are available already.
        kept: arrays (see stored_arrays).
        filled: kept records whose arrays were filled in this scope's surroundings; they are read.
        filling: kept records whose arrays are being filled; they are computed.  All others are filled in the first scope, on the way
            inwards, in which nothing but their own loop is missing.
    """

    def __init__(
        self, graph: Graph, scope: int, targets: Iterable[int], have: set[int], kept: dict[int, int], filled: set[int], filling: set[int]
    ) -> None:
        self.graph, self.scope, self.have, self.kept, self.filled, self.filling = graph, scope, have, kept, filled, filling
        self.rank: dict[int, int] = {}
        for t in targets:
            self._visit(t)
        self.straight: dict[int, list[int]] = {}
        self.tasks: dict[int, dict[int, list[int]]] = {}
        for r, rank in sorted(self.rank.items()):
            if r in have or graph.constant[r]:
                continue
            inside = not graph.mask[r] & ~scope
            if self._is_task(r):
                loop = graph.args[r][0] if inside else kept[r]
                self.tasks.setdefault(rank, {}).setdefault(loop, []).append(r)
            elif inside:
                self.straight.setdefault(rank, []).append(r)

    def _is_task(self, r: int) -> bool:
        if self.graph.mask[r] & ~self.scope:
            return self._filled_here(r)
        return self.graph.op[r] in ("red", "redmax") and not self.read(r)

    def _filled_here(self, r: int) -> bool:
        missing = self.graph.mask[r] & ~self.scope
        return r in self.kept and missing == 1 << self.kept[r] and r not in self.filled and r not in self.filling

    def read(self, r: int) -> bool:
        """Whether `r` is an element of an array that was filled before."""
        return r in self.filled and not self.graph.mask[r] & ~self.scope

    def _visit(self, r: int) -> None:
        graph, rank = self.graph, self.rank
        stack = [r]
        while stack:
            top = stack[-1]
            if top in rank:
                stack.pop()
                continue
            known = top in self.have or graph.constant[top] or (top in self.filled and not self.read(top))
            below = [] if known or self.read(top) else [a for a in graph.inputs(top) if a not in rank]
            if below:
                stack.extend(below)
                continue
            stack.pop()
            if known:
                rank[top] = 0
                continue
            base = 0 if self.read(top) else max((rank[a] for a in graph.inputs(top)), default=0)
            inside = not graph.mask[top] & ~self.scope
            if self._is_task(top):
                body = unsigned(graph, graph.args[top][1]) if inside and graph.op[top] == "redmax" else None
                rank[top] = base if body is not None and self._filled_here(body) else base + 1
            else:
                rank[top] = base

    @property
    def last(self) -> int:
        return max(self.rank.values(), default=0)


def bodies(graph: Graph, loop: int, task: int) -> tuple[int, ...]:
    """What is computed for a task in each pass of its loop: an array's element, or what a sum or maximum reads."""
    return (task,) if graph.mask[task] >> loop & 1 else graph.inputs(task)


def fuse(graph: Graph, loop: int, tasks: list[int], kept: dict[int, int]) -> list[list[int]]:
    """Groups of sums over one loop that run together: those that share an expensive record, and cheap ones besides."""
    owner: dict[int, int] = {}
    parent = list(range(len(tasks)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, task in enumerate(tasks):
        seen, stack = set(), list(bodies(graph, loop, task))
        while stack:
            r = stack.pop()
            if r in seen or not graph.mask[r] >> loop & 1:
                continue
            seen.add(r)
            if graph.op[r] in EXPENSIVE or r in kept:
                j = owner.setdefault(r, i)
                parent[root(i)] = root(j)
            if not (r in kept and r != task):
                stack.extend(graph.inputs(r))
    groups: dict[int, list[int]] = {}
    for i, task in enumerate(tasks):
        groups.setdefault(root(i), []).append(task)
    merged: list[list[int]] = []
    filled: list[tuple[int, int]] = []
    for group in groups.values():
        flops = sum(cost(graph, r, loop, kept) for t in group for r in bodies(graph, loop, t))
        stores = sum(1 for t in group if graph.mask[t] >> loop & 1)
        for k, (used, written) in enumerate(filled):
            if used + flops <= FUSED and written + stores <= STORES:
                merged[k].extend(group)
                filled[k] = used + flops, written + stores
                break
        else:
            merged.append(list(group))
            filled.append((flops, stores))
    return merged
