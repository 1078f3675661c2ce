"""Clauses on weights of signs: message passing against sums over all weights, symmetries, and formulas of a user's own."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from replica.laws import SAT
from replica.spec import load
from simulate.algorithms.parts.clauses import ClauseConstraints
from simulate.formulas import Formula, read_dimacs
from simulate.instance import Unsupported
from simulate.iteration import Status
from simulate.runs import simulate

KSAT = load("random_ksat")
SEEDS = st.integers(0, 2**32 - 1)


def problem(clauses, size, leak=0.0):
    literal = np.array([one for clause in clauses for one in clause], dtype=np.int64)
    ends = np.cumsum([0, *map(len, clauses)])
    return ClauseConstraints(size, np.abs(literal) - 1, np.sign(literal).astype(float), ends, leak)


def broken(clauses, weights):
    """(S,) how many clauses each of the weights (S, d) violates."""
    return sum((np.array([weights[:, abs(one) - 1] * one < 0 for one in clause]).all(axis=0)).astype(int) for clause in clauses)


def everything(size):
    return 2.0 * ((np.arange(2**size)[:, None] >> np.arange(size)) & 1) - 1


def summed(clauses, extra, leak):
    """(log of the partition function, marginal means, mean number of violated clauses); None where nothing has any weight."""
    weights = everything(len(extra))
    count = broken(clauses, weights)
    with np.errstate(divide="ignore"):
        logs = np.where(count == 0, 0.0, np.log(leak) * np.maximum(count, 1)) + weights @ extra
    top = logs.max()
    if top == -np.inf:
        return None
    odds = np.exp(logs - top)
    total = odds.sum()
    return top + np.log(total), odds @ weights / total, odds @ count / total


def tree(rng):
    """Clauses of one to four literals, each of which shares one weight with those before it."""
    clauses, size = [], 1
    while size < 11 and len(clauses) < 9:
        more = int(rng.integers(0, 4))
        members = [int(rng.integers(1, size + 1)), *range(size + 1, size + 1 + more)]
        size += more
        clauses.append([int(one * rng.choice([-1, 1])) for one in rng.permutation(members)])
    return clauses, size


def rest(formula, extra, rng, sweeps=60, damping=0.0):
    u = rng.standard_normal(formula.edges)
    h = formula.gathered(u)
    for _ in range(sweeps):
        move = formula.sweep(rng.permutation(formula.count), extra, h, u, damping)
    return h, u, move


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 1e-300, 0.2]), st.sampled_from([0.0, 0.7, 30.0, 300.0]), st.sampled_from([0.0, 0.3]))
@example(1016, 0.0, 30.0, 0.0)  # fields that cancel behind a literal that must be right
def test_messages_are_exact_on_trees(seed, leak, gamma, damping):
    rng = np.random.default_rng(seed)
    clauses, size = tree(rng)
    extra = gamma * rng.choice([-1.0, 1.0], size)
    expected = summed(clauses, extra, leak)
    assume(expected is not None)
    formula = problem(clauses, size, leak)
    h, u, move = rest(formula, extra, rng, 200 if damping else 30, damping)
    log_sum, violated = formula.bethe(h + extra, u)
    assert move < 1e-9
    np.testing.assert_allclose(np.tanh(h + extra), expected[1], atol=1e-10)  # a sum with a message of 1e4 is rounded to 1e-12
    assert log_sum == pytest.approx(expected[0], abs=1e-9 * max(1.0, gamma * size))
    assert violated == pytest.approx(expected[2], abs=1e-9)


def drawn(rng, n, size):
    return [[int(i + 1) * int(rng.choice([-1, 1])) for i in rng.choice(size, 3, replace=False)] for _ in range(n)]


def test_messages_are_close_to_the_sum_on_small_random_formulas():
    """One clause per weight: loops are few, and the number of solutions is right up to a factor near one."""
    logs, means = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        clauses, extra = drawn(rng, 14, 14), 0.5 * rng.choice([-1.0, 1.0], 14)
        expected, formula = summed(clauses, extra, 0.0), problem(clauses, 14)
        h, u, move = rest(formula, extra, rng, 300, 0.3)
        assert expected is not None and move < 1e-8
        logs.append(abs(formula.bethe(h + extra, u)[0] - expected[0]))
        means.append(np.sqrt(np.mean((np.tanh(h + extra) - expected[1]) ** 2)))
    assert np.mean(logs) < 0.3 and np.mean(means) < 0.1


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_names_signs_and_the_order_of_literals_do_not_matter(seed):
    """Weights renamed, signs turned with the reference, literals and clauses reordered: the same messages, in the same order of clauses."""
    rng = np.random.default_rng(seed)
    size, n = 20, 60
    clauses, extra = drawn(rng, n, size), rng.standard_normal(size)
    names, turned, reorder = rng.permutation(size), rng.choice([-1, 1], size), rng.permutation(n)
    moved = [[int(names[abs(one) - 1] + 1) * int(np.sign(one) * turned[abs(one) - 1]) for one in clause[::-1]] for clause in clauses]
    moved = [moved[a] for a in reorder]
    there = np.empty(size)
    there[names] = extra * turned
    found = []
    for formula, field, order in ((problem(clauses, size), extra, reorder), (problem(moved, size), there, np.arange(n))):
        u, h = np.zeros(formula.edges), np.zeros(size)
        for _ in range(5):
            formula.sweep(order, field, h, u, 0.2)
        found.append((h + field, formula.bethe(h + field, u)[0], [formula.violated(w) for w in (np.sign(h + field), np.sign(field))]))
    (here, log_sum, count), (other, other_sum, other_count) = found
    np.testing.assert_allclose(other[names], here * turned, rtol=1e-9, atol=1e-10)
    assert other_sum == pytest.approx(log_sum, rel=1e-10) and other_count == count


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_violated_clauses_are_counted(seed):
    rng = np.random.default_rng(seed)
    clauses, size = tree(rng)
    weights = rng.choice([-1.0, 1.0], (1, size))
    assert problem(clauses, size).violated(weights[0]) == broken(clauses, weights)[0]


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 60), st.sampled_from(["edmc", "focusing_bp", "annealing"]))
def test_what_a_search_calls_solved_is(seed, n, name):
    """Eight weights, with and without solutions: success is claimed for weights that meet every clause, and never where there are none."""
    clauses = drawn(np.random.default_rng(seed), n, 8)
    options = {"edmc": {"steps": 20, "growth": 0.5}, "focusing_bp": {"steps": 60, "rate": 0.02}, "annealing": {"sweeps": 30}}[name]
    options, formula, found = options | {"restarts": 0}, Formula.of(clauses, 8), []
    runs = simulate(KSAT, algorithm=name, data=(formula,), options=options, watch=lambda *one: found.append(one))
    (record,) = runs.records.values()
    possible = broken(clauses, everything(8)).min() == 0
    assert (record.status is Status.SOLVED) == bool(found) and (possible or not found)
    for _, outcome in found:
        assert broken(clauses, outcome.estimates["student"].mean[None])[0] == 0


LITERALS = st.lists(st.lists(st.integers(-6, 6).filter(bool), min_size=1, max_size=4), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(LITERALS)
def test_a_formula_keeps_its_meaning_when_read(tmp_path_factory, clauses):
    """Literals that stand twice and clauses that cannot be violated are left out."""
    file = tmp_path_factory.mktemp("formulas") / "one.cnf"
    lines = [" ".join(map(str, clause)) + " 0" for clause in clauses]
    file.write_text("\n".join(["c made for a test", f"p cnf 6 {len(clauses)}", *lines, "%", "0"]))
    assume(any(not any(-one in clause for one in clause) for clause in clauses))
    formula = read_dimacs(file)
    kept = [list(formula.literal[a:b]) for a, b in zip(formula.clause, formula.clause[1:], strict=False)]
    weights = everything(6)
    np.testing.assert_array_equal(broken(kept, weights) == 0, broken(clauses, weights) == 0)
    assert all(len({abs(one) for one in clause}) == len(clause) for clause in kept)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no line 'p cnf WEIGHTS CLAUSES'"),
        ("1 2 0\n", "line 1: a line 'p cnf WEIGHTS CLAUSES' must come before"),
        ("p cnf 3\n1 0\n", "line 1: one line 'p cnf WEIGHTS CLAUSES' is allowed"),
        ("p cnf 3 1\np cnf 3 1\n1 0\n", "line 2: one line"),
        ("p cnf 0 1\n1 0\n", "0 weights and 1 clauses"),
        ("p cnf 3 2\n1 2 0\n1 -4 0\n", "line 3: '-4' is no literal of 3 weights"),
        ("p cnf 3 1\n1 x 0\n", "line 2: 'x' is no literal"),
        ("p cnf 3 1\n1 2\n", "the last clause is not ended by 0"),
        ("p cnf 3 2\n1 2 0\n", "2 clauses are announced, found 1"),
        ("p cnf 3 2\n1 2 0\n0\n", "clause 2 is empty, so nothing satisfies it"),
        ("p cnf 3 1\n1 -1 0\n", "no clause is left"),
        ("p cnf 99999999999 1\n1 0\n", "allowed are 1 to"),
        ("p cnf 3 1\n1 2 ٣ 0\n", "not a DIMACS file"),
    ],
)
def test_files_that_are_no_formula_are_refused_in_one_line(tmp_path, text, sentence):
    file = tmp_path / "bad.cnf"
    file.write_text(text)
    with pytest.raises(Unsupported) as caught:
        read_dimacs(file)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("clauses", [[[1, 0]], [[1.5]], [[True]], [[]], [], [["1"]]])
def test_lists_that_are_no_formula_are_refused(clauses):
    with pytest.raises(Unsupported, match="formula: "):
        Formula.of(clauses)


def test_every_set_of_weights_has_the_same_odds_in_a_clause():
    literal, clause = SAT(k=3).bind({}).formula(np.random.default_rng(4), 40_000, 6)
    sets = np.sort(np.abs(literal).reshape(-1, 3), axis=1)
    counts = [np.count_nonzero((sets == np.array(one)).all(axis=1)) for one in combinations(range(1, 7), 3)]
    assert np.all(np.diff(clause) == 3) and sum(counts) == 40_000
    assert np.abs(np.array(counts) - 2000).max() < 5 * np.sqrt(2000)
    assert abs(np.sign(literal).mean()) < 5 / np.sqrt(literal.size)
