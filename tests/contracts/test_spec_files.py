"""Every spec file is read, expanded and written back without loss: 42 examples of the language and the catalog."""

from __future__ import annotations

import pickle
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replica.spec import Spec, catalog, load
from replica.spec.records import Record

EXAMPLES = sorted((Path(__file__).parents[1] / "specs").glob("*.toml"))
FILES = [*EXAMPLES, *catalog().values()]
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def keys(table: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all keys; `{ kind = "x" }` and "x", `[a]` and a count as the same."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield (*path, key)
            if key != "kind":
                yield from keys(value, (*path, key))
    elif isinstance(table, list):
        for number, value in enumerate(table):
            yield from keys(value, path if len(table) == 1 else (*path, number))


def fields(spec: Spec) -> dict[str, Any]:
    return {key.name: value for key, value in spec.present()}


def run_program(text: str) -> Spec:
    """The `spec` of a program that the writer printed, from a file of this repository."""
    names: dict[str, Any] = {}
    exec(text, names)
    return names["spec"]


def test_there_are_as_many_as_the_language_promises():
    assert len(EXAMPLES) == 42
    assert len(catalog()) >= 18


@every_file
def test_written_file_is_the_same_spec_and_holds_nothing_new(path):
    spec = Spec.from_toml(path)
    written = spec.to_toml()
    assert Spec.from_toml(written) == spec
    assert Spec.from_toml(written).to_toml() == written
    kinds = {key for key in keys(tomllib.loads(written)) if key[-1] != "kind"}
    assert kinds <= set(keys(tomllib.loads(path.read_text())))


@every_file
def test_expansion_is_a_valid_spec_and_idempotent(path):
    spec = Spec.from_toml(path)
    full = spec.expand()
    again = Spec(**fields(full))
    assert again == full
    assert again.expand() == full
    assert Spec.from_toml(full.to_toml()) == full
    assert not (full.teacher or full.student or full.data or full.groups)
    cells = [cell for part in full.slices.values() for cell in part.groups.values()]
    assert all(cell.label and cell.variance is not None and cell.share is not None for cell in cells)
    assert all(learner.like is None and learner.ensemble is None and learner.on for learner in full.learners.values())
    assert all(stage.learners and stage.on for stage in full.stages)


@every_file
def test_printed_python_builds_an_equal_spec(path):
    spec = Spec.from_toml(path)
    built = run_program(spec.to_python())
    assert built == spec
    assert built.to_toml() == spec.to_toml()


@every_file
def test_all_ways_of_writing_a_model_have_one_fingerprint(path):
    spec = Spec.from_toml(path)
    ways = [spec, spec.expand(), Spec.from_toml(spec.to_toml()), run_program(spec.expand().to_python())]
    assert len({way.fingerprint for way in ways}) == 1


def test_different_models_have_different_fingerprints():
    prints = {path.stem: Spec.from_toml(path).fingerprint for path in FILES}
    same = [(a, b) for a in prints for b in prints if a < b and prints[a] == prints[b]]
    twins = {("bayes_binary", "c03_bayes_perceptron"), ("c01_ridge", "ridge_linear"), ("c07_sk", "sk")}
    twins |= {("c04_compressed_sensing", "compressed_sensing"), ("c05_gaussian_mixture", "gaussian_mixture")}
    twins |= {("p09_star_shaped", "star_shaped"), ("curriculum", "p10a_curriculum_batch"), ("distillation", "p12_distillation")}
    twins |= {("p19b_ksat", "random_ksat")}
    assert set(same) == twins  # each pair states one model with other values


@every_file
def test_specs_survive_pickling_and_hashing(path):
    spec = Spec.from_toml(path)
    copy = pickle.loads(pickle.dumps(spec))
    assert copy == spec
    assert hash(copy) == hash(spec)


@every_file
def test_records_cannot_change(path):
    spec = Spec.from_toml(path)
    with pytest.raises(AttributeError):
        spec.name = "other"
    with pytest.raises(TypeError):
        spec.controls["alpha"] = 1
    assert all(isinstance(value, Record) for value in spec.learners.values())


@pytest.mark.parametrize("name", catalog())
def test_catalog_names_load(name):
    spec = load(name)
    assert spec == load(catalog()[name])
    assert spec.run.sizes is not None and (not spec.run.sizes or spec.run.seeds >= 16)  # no sizes: theory only
    assert all(control.meaning for control in spec.controls.values())
    for point in spec.run.points():
        spec.at(point)
