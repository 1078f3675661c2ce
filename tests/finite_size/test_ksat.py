"""Random K-SAT: searches against a SAT solver and a checker of its own, what is solved at 1000 weights, and bad requests."""

import numpy as np
import pytest
from pysat.solvers import Solver

from replica.spec import Spec, SpecError, catalog, load
from simulate.algorithms.parts.clauses import clause_constraints
from simulate.algorithms.parts.copies import COPIES
from simulate.cli import main
from simulate.draw import draw
from simulate.instance import Unsupported
from simulate.iteration import Status
from simulate.local_entropy import local_entropy, stability
from simulate.runs import simulate

KSAT = load("random_ksat")
CONTRADICTION = [[a, 2 * b, 3 * c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
QUICK = {
    "edmc": {"sweeps": 20, "steps": 40, "restarts": 3, "growth": 0.5},
    "focusing_bp": {"rate": 0.01, "steps": 200, "restarts": 1},
    "reinforced_bp": {"rate": 0.01, "steps": 200, "restarts": 1},
    "annealing": {"sweeps": 100, "restarts": 2},
}


def clauses_of(instance):
    literal, ends = instance.arrays["literal"].tolist(), instance.arrays["clause"].tolist()
    return [literal[a:b] for a, b in zip(ends, ends[1:], strict=False)]


def met(clauses, weights):
    """Whether weights satisfy every clause, by nothing but the meaning of a clause."""
    true = {i + 1 if w > 0 else -i - 1 for i, w in enumerate(weights)}
    return all(any(literal in true for literal in clause) for clause in clauses)


def searched(name, alpha, size, seeds, **options):
    """(instances and the weights that were found, records)."""
    kept = []

    def keep(instance, outcome):
        kept.append((instance, outcome.estimates["student"].mean))

    runs = simulate(KSAT, {"alpha": alpha}, [size], seeds, name, options=options, watch=keep)
    return kept, runs.records


@pytest.mark.parametrize("name", list(QUICK))
@pytest.mark.parametrize("alpha", [3.5, 5.5])
def test_no_search_claims_what_a_sat_solver_denies(name, alpha):
    """At 20 weights formulas of either kind are found at both sides of the threshold, 4.27."""
    kept, records = searched(name, alpha, 20, 12, **QUICK[name])
    found = {instance.seed: weights for instance, weights in kept}
    possible = {}
    for seed in range(12):
        clauses = clauses_of(draw(KSAT.expand(), KSAT.at({"alpha": alpha}), 20, seed))
        with Solver(name="minisat22", bootstrap_with=clauses) as oracle:
            possible[seed] = oracle.solve()
        solved = records[20, seed].status is Status.SOLVED
        assert solved == (seed in found)
        assert not solved or possible[seed] and met(clauses, found[seed])
    assert sum(possible.values()) in range(1, 12) if alpha > 4 else any(possible.values())
    assert len(found) >= 0.7 * sum(possible.values())


@pytest.mark.parametrize("name", [*QUICK, "bp", "replicated_annealing"])
def test_a_contradiction_is_not_solved(name):
    options = QUICK.get(name, {"steps": 50} if name == "bp" else {"sweeps": 30})
    runs = simulate(KSAT, algorithm=name, data=(CONTRADICTION,), options=options)
    assert runs.at["alpha"] == 8 / 3 and runs.sizes == (3,)
    (record,) = runs.records.values()
    assert record.status is not Status.SOLVED
    assert name == "bp" or not record.status.ok


@pytest.mark.parametrize(
    ("name", "options", "seeds"),
    [("edmc", {"sweeps": 20, "steps": 40, "restarts": 9}, [0]), ("focusing_bp", {"rate": 1e-3, "steps": 1000}, [0, 1])],
)
def test_a_thousand_weights_at_four_clauses_each_are_solved(name, options, seeds):
    kept, records = searched(name, 4.0, 1000, seeds, **options)
    assert [record.status for record in records.values()] == [Status.SOLVED] * len(seeds)
    for instance, weights in kept:
        assert len(clauses_of(instance)) == 4000 and met(clauses_of(instance), weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["edmc", "focusing_bp", "reinforced_bp"])
def test_most_formulas_at_four_and_a_tenth_are_solved(name):
    """With the options of the run plan; the formulas themselves are drawn at a density where almost all have solutions."""
    kept, _ = searched(name, 4.1, 1000, 5)
    assert len(kept) >= 3 and all(met(clauses_of(instance), weights) for instance, weights in kept)


def test_solutions_are_counted_around_one_that_was_found():
    """Against enumeration: as many as there are at the distance, up to the spread of a few sites and to loops."""
    instance = draw(KSAT.expand(), KSAT.at({"alpha": 1.0}), 18, 1)
    weights = 2.0 * ((np.arange(2**18)[:, None] >> np.arange(18)) & 1) - 1
    variable, sign = np.abs(instance.arrays["literal"]).reshape(-1, 3) - 1, np.sign(instance.arrays["literal"]).reshape(-1, 3)
    good = weights[(weights[:, variable] == sign).any(axis=2).all(axis=1)]
    center = good[len(good) // 2]
    assert met(clauses_of(instance), center)
    near = (18 - good @ center) / 36
    for gamma in (0.3, 0.6):
        odds = np.exp(gamma * (good @ center))
        distance = float(odds @ near / odds.sum())
        exact = (np.log(odds.sum()) - gamma * 18 * (1 - 2 * distance)) / 18
        assert local_entropy(instance, center, [distance])[0] == pytest.approx(exact, abs=0.02)
        around = stability(instance, center, [distance])
        assert np.sqrt(np.mean((around.centers[0] - odds @ good / odds.sum()) ** 2)) < 0.1
        assert around.violated[0] == clause_constraints(instance).violated(np.sign(around.centers[0]))
    turned = [met(clauses_of(instance), np.where(np.arange(18) == i, -center, center)) for i in range(18)]
    assert around.free.tolist() == turned and 0 < sum(turned) < 18


def test_flips_keep_count_of_the_clauses():
    instance = draw(KSAT.expand(), KSAT.at(), 40, 2)
    problem, copies, rng = clause_constraints(instance), COPIES["literal"](instance), np.random.default_rng(0)
    weights = rng.choice([-1.0, 1.0], (3, 40))
    state = {"weights": weights, "violated": np.array([problem.violated(w) for w in weights]), **copies.start(weights)}
    for beta in (0.0, 1.0, 3.0):
        before = state["weights"].copy()
        copies.visit(state, rng.permutation(weights.size), beta, 0.5, rng)
        assert (state["weights"] != before).any()
        assert state["violated"].tolist() == [problem.violated(w) for w in state["weights"]]
        np.testing.assert_array_equal(state["met"], copies.start(state["weights"])["met"])


def test_own_formulas_come_from_files(tmp_path, capsys):
    file = tmp_path / "one.cnf"
    file.write_text("p cnf 4 3\n1 -2 0\n2 3 -4 0\n4 0\n")
    assert main(["simulate", "random_ksat", "--algorithm", "bp", "--data", str(file), "--json"]) == 0
    assert '"alpha": 0.75' in capsys.readouterr().out
    solutions = [w for w in 2.0 * ((np.arange(16)[:, None] >> np.arange(4)) & 1) - 1 if met([[1, -2], [2, 3, -4], [4]], w)]
    runs = simulate(KSAT, algorithm="bp", data=([[1, -2], [2, 3, -4], [4]],))
    assert runs.values("entropy", 4)[0] == pytest.approx(np.log(len(solutions)) / 4, abs=1e-6)  # a tree
    file.write_text("p cnf 4 3\n1 -2 0\n")
    wrong = (
        ([str(file)], "3 clauses are announced, found 1"),
        ([str(file)] * 2, "one file in DIMACS form"),
        ([str(tmp_path / "no")], "No such file"),
    )
    for more, sentence in wrong:
        assert main(["simulate", "random_ksat", "--data", *more]) == 2
        assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "at", "size", "sentence"),
    [
        (("k = 3", "k = 0"), {}, 10, "k"),
        (("k = 3", "k = 2.5"), {}, 10, "k"),
        (("k = 3", "k = 11"), {}, 10, "a clause has k = 11 different weights, and there are 10"),
        (("k = 3", "k = 3"), {"alpha": -1.0}, 10, "alpha"),
        (("k = 3", "k = 3"), {"alpha": np.nan}, 10, "alpha"),
        (('prior    = "binary"', 'prior = "gaussian"'), {}, 10, "values with equal odds"),
        (('prior    = "binary"', 'prior = "binary"\nloss = "theta"'), {}, 10, "is the energy itself"),
    ],
)
def test_what_cannot_be_drawn_or_searched_is_said_in_a_line(change, at, size, sentence):
    with pytest.raises((SpecError, Unsupported)) as caught:
        simulate(Spec.from_toml(catalog()["random_ksat"].read_text().replace(*change)), at, [size], 1, "bp")
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["sbpi", "max_sum", "gamp", "monte_carlo", "enumeration", "hit_and_run"])
def test_other_algorithms_refuse_clauses(name):
    with pytest.raises(Unsupported) as caught:
        simulate(KSAT, {}, [10], 1, name)
    assert "\n" not in str(caught.value)
