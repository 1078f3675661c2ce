"""Every ingredient found in the folders of replica keeps the promises of replica.ingredients.Ingredient.

A file in a folder is under test the moment it exists; forgetting its line in the folder's `__init__` is a failure here.
"""

import dataclasses
import importlib
import importlib.resources
import inspect
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import sympy as sp

import replica
from replica.ingredients import (
    Activation,
    Channel,
    Ingredient,
    Law,
    Loss,
    NotBuilt,
    Prior,
    Regularizer,
    Table,
    kinds,
)

FOLDERS = (
    "priors",
    "channels",
    "losses",
    "regularizers",
    "activations",
    "laws",
    "networks",
    "protocols",
    "corruptions",
    "selections",
    "algorithms",
    "ensembles",
)
PACKAGES = {name: importlib.import_module(f"replica.{name}") for name in FOLDERS}
CLASSES = [cls for package in PACKAGES.values() for cls in kinds(package).values()]
EXAMPLES = [example for cls in CLASSES for example in cls.examples()]
y, z, w, xi = (sp.Symbol(name, real=True) for name in ("y", "z", "w", "xi"))


def name(item):
    return f"{item.slot}-{item.kind}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_file_holds_one_kind_and_is_listed(folder):
    listed = {cls.__module__ for cls in kinds(PACKAGES[folder]).values()}
    for module in pkgutil.iter_modules(PACKAGES[folder].__path__):
        path = f"replica.{folder}.{module.name}"
        found = [c for _, c in inspect.getmembers(importlib.import_module(path), inspect.isclass) if c.__module__ == path]
        assert len(found) == 1 and issubclass(found[0], Ingredient), f"{path} must hold one kind"
        assert path in listed, f"replica/{folder}/__init__.py needs the line: from {path} import {found[0].__name__}"
        assert found[0].kind == module.name


@pytest.mark.parametrize("cls", CLASSES, ids=name)
def test_record(cls):
    assert dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen
    assert cls.__doc__ and importlib.import_module(cls.__module__).__doc__
    assert 1 <= len(cls.examples()) <= 5
    keys = [entry.key for entry in cls.parameters()]
    assert len(set(keys)) == len(keys) and "kind" not in keys
    assert not cls.form or cls.form in keys
    for entry in cls.parameters():
        assert entry.meaning, f"{entry.key} needs a meaning"


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_tables_and_equality(example):
    again = type(example).from_table(example.table())
    assert again == example and hash(again) == hash(example) and repr(again) == repr(example)


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_bind_makes_numbers_exact_and_changes_nothing(example):
    bound = example.bind({"alpha": 0.1})
    assert bound.bind({}).table() == bound.table()
    for entry in example.parameters():
        value = getattr(bound, entry.name)
        if entry.type == "value" and value is not None:
            assert isinstance(value, sp.Expr) and not value.has(sp.Float)
    assert bound.names == {"alpha": sp.Rational(1, 10)}


SCALARS = [(cls, entry) for cls in CLASSES for entry in cls.parameters() if entry.type == "value" and entry.domain]


@pytest.mark.parametrize("cls, entry", SCALARS, ids=lambda item: item.key if hasattr(item, "key") else name(item))
def test_a_control_stands_for_any_number_and_domains_are_kept(cls, entry):
    symbol = sp.Symbol("Delta", real=True)
    record = dataclasses.replace(cls.examples()[0], **{entry.name: "Delta/2"})
    assert getattr(record.bind({"Delta": symbol}), entry.name) == symbol / 2
    outside = {"(0": -1.0, "[0": -1.0, "in": 0.5, "[-": -1.5, "[1": 0.5, "(-": float("inf")}[entry.domain[:2]]
    sentence = rf"{cls.__name__}: {entry.key} must lie in .*, got {entry.key}="
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(record, **{entry.name: outside})
    with pytest.raises(ValueError, match=sentence):
        record.bind({"Delta": 2 * outside})


@pytest.mark.parametrize("cls", [c for c in CLASSES if not c.built], ids=name)
def test_what_is_only_declared_says_so(cls):
    methods = {
        Prior: lambda it: it.sample(None, (1,)),
        Channel: lambda it: it.sample(None, 0.0),
        Loss: lambda it: it.formula(y, z),
        Law: lambda it: it.sample(None, 1, 1),
    }
    for slot, call in methods.items():
        if issubclass(cls, slot):
            with pytest.raises(NotBuilt, match=f"^{cls.slot} '{cls.kind}' is declared but not built yet$"):
                call(cls.examples()[0])


@pytest.mark.parametrize("cls", [c for c in CLASSES if c.built and issubclass(c, (Loss, Regularizer, Activation))], ids=name)
def test_what_is_built_has_a_formula(cls):
    for example in cls.examples():
        expr = example.bind({}).formula(*((y, z) if isinstance(example, Loss) else (w,)))
        assert isinstance(expr, sp.Expr) and expr.free_symbols <= {y, z, w}


def test_messages():
    from replica import channels, losses, networks, priors, regularizers

    cases = (
        (
            lambda: priors.GaussBernoulli(rho=1.5),
            "GaussBernoulli: rho must lie in (0, 1], got rho=1.5. rho is the fraction of NON-zero entries",
        ),
        (lambda: priors.Gaussian.from_table({"sigma": 1}), "prior 'gaussian' has no parameter 'sigma' (takes: mean variance covariance)"),
        (lambda: losses.Formula.from_table({}), "loss 'formula' needs the parameter 'formula'"),
        (lambda: losses.Logistic(weights={"minor": -1}), "Logistic: weights must lie in [0, inf)"),
        (lambda: priors.Discrete((0, 1), (0.5, 0.6)), "Discrete: weights must add up to 1, got 1.1"),
        (lambda: priors.Discrete((0, 1), (0.5,)), "Discrete: weights must be as many as atoms (2), got 1"),
        (lambda: priors.Discrete(()), "Discrete: atoms must list at least one value"),
        (lambda: priors.Uniform(2, 1), "Uniform: low must lie below high"),
        (lambda: priors.Uniform("Delta", 1).bind({"Delta": 3}), "Uniform: low must lie below high"),
        (lambda: priors.Density("1", (1, 0)), "Density: support must run from a lower to an upper end"),
        (lambda: priors.Density("1", (1,)), "Density: support must be two numbers"),
        (lambda: channels.Density("1", values=(0, 1), support=(0, 1)), "give one of the two"),
        (lambda: channels.Ordinal((1, 0)), "Ordinal: thresholds must be given in increasing order"),
        (lambda: networks.Committee(readout="learned"), "Committee: readout must be one of fixed trained, got 'learned'"),
        (lambda: networks.Linear(bias=1), "Linear: bias must be true or false, got 1"),
        (lambda: networks.Committee(activation="erf"), "Committee: activation must be a record of slot 'activation', got 'erf'"),
        (lambda: regularizers.Ridge(True), "Ridge: strength must be a number or an expression of controls, got True"),
        (lambda: regularizers.Ridge("lambda").formula(w), "Ridge: 'lambda' is an expression of controls; bind it"),
        (lambda: regularizers.Ridge(None), "Ridge: strength is missing"),
        (
            lambda: priors.Gaussian(variance="Delta").bind({"Delta": w}).sample(np.random.default_rng(0), (1,)),
            "depends on controls; bind them to numbers",
        ),
    )
    for call, sentence in cases:
        with pytest.raises(ValueError) as caught:
            call()
        assert sentence in str(caught.value)


def test_nested_ingredients_and_tables():
    table = Table({"kind": "zipf", "of": [1, {"a": 2}]})
    assert table["of"] == (1, {"a": 2}) and hash(table) == hash(Table(table)) and repr(Table(a=1)) == "{'a': 1}"
    law = PACKAGES["laws"].IID(PACKAGES["priors"].Gaussian(variance="Delta"))
    assert law.bind({"Delta": 0.5}).entries.variance == sp.Rational(1, 2)
    loss = PACKAGES["losses"].Logistic(weights={"minor": "Delta"})
    assert loss.bind({"Delta": 3}).weights == {"minor": 3}
    staged = PACKAGES["losses"].Formula("(z - z_large)**2").bind({"z_large": xi})
    assert staged.formula(y, z) == (z - xi) ** 2


def test_package_is_light():
    heavy = "{'torch', 'numba', 'scipy', 'matplotlib'}"
    code = f"import sys, replica.priors, replica.channels, replica.networks; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=str(importlib.resources.files(replica).parent)).returncode == 0
