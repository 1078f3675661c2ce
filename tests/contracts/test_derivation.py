"""What a derivation promises: a theory or one line, a trail in the ansatz's own names, and equations free of leaves."""

import glob
import re
from pathlib import Path

import pytest
import sympy as sp

from replica.derive import Underivable, derive
from replica.nodes import Tilted
from replica.nodes.piecewise import Undecided, pieces
from replica.spec import Spec, catalog, load
from replica.symbols import control_symbol
from replica.tree import Leaf

SPECS = sorted(glob.glob(str(Path(__file__).parents[1] / "specs" / "*.toml")))


def simulated(name):
    """Whether a spec of the catalog says that it has no theory."""
    return all(learner.theory == "none" for learner in load(name).expand().learners.values())


SIMULATED = sorted(name for name, path in catalog().items() if "theory " in path.read_text() and simulated(name))
FLOWS = {name for name, path in catalog().items() if 'sgd"' in path.read_text()}  # see test_online, test_support
CATALOG = sorted(set(catalog()) - FLOWS - set(SIMULATED))


@pytest.mark.parametrize("path", SPECS, ids=lambda p: Path(p).stem)
def test_a_spec_is_derived_or_refused_in_one_line(path):
    spec = Spec.from_toml(path)
    for learner in spec.expand().learners:
        try:
            theory = derive(spec, learner)
        except Underivable as refusal:
            assert "\n" not in str(refusal) and len(str(refusal)) > 20
        else:
            assert theory.system.unknowns


@pytest.mark.parametrize("name", SIMULATED)
def test_a_spec_that_says_it_has_no_theory_is_refused_with_its_reason(name):
    (learner,) = load(name).expand().learners.values()
    with pytest.raises(Underivable, match=re.escape(learner.reason)):
        derive(load(name))


@pytest.fixture(scope="module", params=CATALOG)
def theory(request):
    return derive(load(request.param))


def test_nothing_opaque_is_left(theory):
    expressions = [*theory.system.equations, theory.free_entropy, *theory.observables.values(), *theory.terms.values()]
    assert not any(e.atoms(Leaf) for e in expressions)


def test_equations_mention_unknowns_and_controls_only(theory):
    known = {u.symbol for u in theory.system.unknowns} | {c.symbol for c in theory.controls}
    expressions = [*theory.system.equations, theory.free_entropy, *theory.observables.values(), *theory.order_parameters.values()]
    for expression in expressions:
        assert expression.free_symbols <= known, expression.free_symbols - known


def test_terms_add_up_to_the_free_entropy(theory):
    assert sp.expand(sp.Add(*theory.terms.values()) - theory.free_entropy) == 0


def test_starts_give_every_unknown(theory):
    for start in theory.system.starts:
        assert set(start.values) == {u.symbol for u in theory.system.unknowns}


def test_trail_tells_the_story_in_the_names_of_the_ansatz(theory):
    text = theory.text(steps=True)
    for title in ("Replicated partition function", "Overlaps", "Ansatz", "Entropic term", "Energetic term", "Saddle point"):
        assert title in text
    for hidden in ("Tilted", "LogAverage", "Overlap(", "Dummy", "_Average", "Leaf(", "Gauss("):
        assert hidden not in text
    assumed = {step.assumption for step in theory.trail if step.assumption is not None}
    assert assumed <= set(theory.assumptions)


def test_latex_is_balanced(theory):
    document = theory.latex(steps=True)
    for opening, closing in (("{", "}"), (r"\left", r"\right"), (r"\begin", r"\end")):
        assert len(re.findall(re.escape(opening) + r"(?![a-z])" if opening != "{" else r"(?<!\\)\{", document)) == len(
            re.findall(re.escape(closing) + r"(?![a-z])" if closing != "}" else r"(?<!\\)\}", document)
        )


def test_derived_and_solved_controls():
    text = Path(load.__globals__["__file__"]).parent.parent / "catalog" / "binary_storage.toml"
    source = re.sub(r"^alpha .*$", 'alpha = { solve = "entropy = 0", value = 0.7, domain = "(0, inf)" }', text.read_text(), flags=re.M)
    source = re.sub(r"^sweep.*$", "", source, flags=re.M)
    theory = derive(Spec.from_toml(source))
    assert theory.system.unknowns[-1].name == "alpha"
    assert "alpha" not in [c.name for c in theory.controls]
    assert "alpha" in theory.order_parameters


def test_declared_observables_are_averages_over_new_samples():
    spec = load("logistic_sign").to_toml() + (
        '\n[observables]\nright = { average = "heaviside(y*z)" }\nup = { average = "heaviside(-y*z)", given = "y > 0" }\n'
        'angle = { cosine = ["student", "teacher"] }\nsum = { formula = "right + generalization_error" }\n'
    )
    found = derive(Spec.from_toml(spec)).observables
    m, q = sp.Symbol("m", real=True), sp.Symbol("q", real=True)
    at = {m: sp.Rational(1, 3), q: sp.Rational(1, 2)}
    number = {name: float(value.subs(at)) for name, value in found.items() if not value.atoms(Tilted)}
    assert number["sum"] == pytest.approx(1, abs=1e-14)
    assert number["up"] == pytest.approx(number["generalization_error"], abs=1e-14)
    assert number["angle"] == pytest.approx(1 / 3 / 0.5**0.5, abs=1e-14)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (sp.Abs, ["-oo", "0", "oo"]),
        (lambda z: sp.Piecewise((0, sp.Abs(z) < 1), (1, True)), ["-oo", "-1", "0", "1", "oo"]),
        (lambda z: sp.Max(0, 1 - z, 2 - 3 * z), ["-oo", "1/2", "1", "oo"]),
        (lambda z: sp.Heaviside(control_symbol("kappa") - z), ["-oo", "kappa", "oo"]),
    ],
)
def test_pieces_of_a_switch(text, ends):
    z = sp.Symbol("z", real=True)
    expression = text(z)
    found = pieces(expression, z)
    assert [str(a) for a, _, _ in found] + [str(found[-1][1])] == ends
    kappa = control_symbol("kappa")
    for x in (-2.3, -0.4, 0.3, 0.55, 0.9, 3.1):
        (value,) = [p for a, b, p in found if float(a.subs(kappa, 0)) < x < float(b.subs(kappa, 0))]
        want = expression.subs(kappa, 0).subs(z, x)
        assert float(value.subs(kappa, 0).subs(z, x)) == pytest.approx(float(want), abs=1e-14)


def test_order_that_depends_on_parameters_is_said():
    z, a, b = sp.symbols("z a b", real=True)
    with pytest.raises(Undecided):
        pieces(sp.Abs(z - a) + sp.Abs(z - b), z)


@pytest.mark.parametrize("name", ["logistic_sign", "bayes_sign", "gibbs_sign", "spherical_storage", "binary_storage"])
def test_one_symmetric_learner_comes_with_the_scalar_functions_of_message_passing(name):
    scores = derive(load(name)).scores
    assert scores is not None
    assert scores.output.diff(scores.omega) != 0 and scores.denoiser.diff(scores.B) != 0


def test_every_function_of_a_broken_theory_is_defined_and_no_index_has_an_index():
    theory = derive(load("sk"))
    whole, document = theory.text(steps=True), theory.latex(steps=True)
    shown, meant = whole.split("Legend")
    used = {word for word in re.findall(r"\b([A-Z]\w+)\(", shown) if word != "N"}
    assert used and all(f"{word}(x): " in meant or word.startswith("F_") and "F_a(h; A): " in meant for word in used), used
    assert not re.findall(r"\\mathrm\{[a-z0-9]+_", document) and r"\sigma\left(x\right)$: 1/(1" in document
