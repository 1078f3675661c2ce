"""Learning curves of data sets: bad input is one line, quadrature is Gauss's, and predictions meet scikit-learn on data of known law."""

import json

import numpy as np
import pytest

from numerics.compile import compile_theory
from numerics.solve import solve
from replica import laws, losses, networks, priors, protocols, regularizers
from replica.derive import derive
from replica.families.model import Underivable
from replica.families.staged.compress import compressed
from replica.gauss import gauss, gauss_of_logarithm
from replica.spec import Control, Data, Group, Label, Latent, Spec, Student
from simulate.cli import main
from simulate.learning_curve import DataError, Table, learning_curve, read
from simulate.learning_curve.estimate import CLOUDS, TEACHER, law_of_labels, modes, pooled
from simulate.learning_curve.population import controls
from simulate.learning_curve.train import measure

WIDTH, SAMPLES = 30, 1200


def gaussian(law: str, n: int = SAMPLES, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Samples of a law of labels, in a random basis and off center; the population is always the same."""
    rng = np.random.default_rng(0)
    values = np.geomspace(4, 0.05, WIDTH)
    axes = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    rule = rng.standard_normal(WIDTH)
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((n, WIDTH)) * np.sqrt(values)
    if law == CLOUDS:
        y = np.where(rng.random(n) < 0.35, 1, 0)
        Z += 0.2 * np.sqrt(values) * rule * (2 * y - 1)[:, None]
    else:
        y = (Z @ (rule / np.sqrt(values * WIDTH)) + 0.4 * rng.standard_normal(n) > 0.3).astype(int)
    return Z @ axes.T + 2, y


X, Y = gaussian(CLOUDS, 100)


@pytest.mark.parametrize(
    "features, labels, words",
    [
        (X, Y[:-1], "100 rows in X and 99 labels"),
        (np.where(np.arange(100)[:, None] == 7, np.nan, X), Y, "NaN or infinite, the first in row 7"),
        (X, np.ones(100), "constant, all are 1"),
        (X[:3], np.array([1, 2, 3]), "fewer samples than classes"),
        (X, np.arange(100) % 3, "found 3 labels"),
        (X, np.where(np.arange(100) < 3, 1, 0), "at least 4 samples, found 3"),
        (X[:40], Y[:40], "cannot be estimated from 40 samples"),
        (X.astype(str), Y, "must be real numbers"),
        (np.ones_like(X), Y, "every feature is constant"),
        (X[None], Y, "samples by features"),
        (X, np.where(Y == 0, np.nan, 1), "NaN or infinite"),
    ],
)
def test_unusable_data_is_one_sentence(features, labels, words):
    with pytest.raises(DataError, match=words) as told:
        Table.of(features, labels)
    assert "\n" not in str(told.value)


def test_numbers_are_labels_when_told():
    table = Table.of(X, np.arange(100.0), real=True)
    assert table.real and table.y.mean() == pytest.approx(0) and table.y.std() == pytest.approx(1)
    with pytest.raises(DataError, match="constant, all are 3"):
        Table.of(X, np.full(100, 3.0), real=True)
    with pytest.raises(DataError, match="must be numbers"):
        Table.of(X, np.where(Y > 0, "a", "b"), real=True)


def test_many_labels_become_two_when_told():
    table = Table.of(X, np.arange(100) % 4, ["1", "3"])
    assert table.classes == ("0,2", "1,3") and table.y.tolist()[:4] == [-1, 1, -1, 1]
    with pytest.raises(DataError, match="no sample has the label 9"):
        Table.of(X, np.arange(100) % 4, ["9"])


@pytest.mark.parametrize(
    "write, words",
    [
        (lambda path: path.write_text("not an array"), "no array"),
        (lambda path: np.save(path, np.array([{}, 1], dtype=object), allow_pickle=True), "never loaded"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), "damaged"),
        (lambda path: path.mkdir(), "a folder"),
    ],
)
def test_a_file_that_is_no_array_is_refused(tmp_path, write, words):
    path = tmp_path / "X.npy"
    write(path)
    with pytest.raises(DataError, match=words):
        read(path)


def test_csv_with_a_line_of_names(tmp_path):
    path = tmp_path / "X.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    assert read(path).tolist() == [[1, 2], [3, 4]]
    path.write_text("a,b\n1,2\n3,x\n")
    with pytest.raises(DataError, match="line 3 "):
        read(path)
    path.write_text("1,2\n3\n")
    with pytest.raises(DataError, match="1 to 2"):
        read(path)


@pytest.mark.parametrize(
    "options, words",
    [
        (["--lambda", "0"], "--lambda: must be a positive number"),
        (["--loss", "cubic"], "losses: logistic hinge square huber, or a formula"),
        (["--loss", "log(1 + exp(-w*z))"], "--loss: "),
        (["--loss", "-(y - z)**2"], "not convex"),
        (["--loss", "__import__('os')"], "--loss: "),
        (["--regression", "--loss", "hinge"], "is for classes"),
        (["--sizes", "5000"], "--sizes: 5000 is not possible"),
        (["--seeds", "1"], "at least 2"),
        (["-o", "curve.txt"], "unknown format"),
        (["--labels", "guess"], "laws: clouds teacher"),
    ],
)
def test_a_wrong_request_is_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", X)
    np.save("y.npy", Y)
    assert main(["learning-curve", "X.npy", "y.npy", *options]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["X.npy", "y.npy"]


@pytest.mark.parametrize(
    "features, labels, words",
    [
        (X, Y[:-1], "100 rows in X and 99 labels"),
        (np.where(np.arange(100)[:, None] == 7, np.nan, X), Y, "NaN or infinite"),
        (X, np.ones(100), "constant"),
        (X[:3], np.array([1, 2, 3]), "fewer samples than classes"),
        (None, Y, "no array"),
    ],
)
def test_unusable_files_are_one_line_of_the_command_too(tmp_path, monkeypatch, capsys, features, labels, words):
    monkeypatch.chdir(tmp_path)
    if features is None:
        (tmp_path / "X.npy").write_text("1 2 3")
    else:
        np.save("X.npy", features)
    np.save("y.npy", labels)
    assert main(["learning-curve", "X.npy", "y.npy", "-o", "curve.png"]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["X.npy", "y.npy"]


def test_gauss_integrates_polynomials_of_twice_its_order():
    rng = np.random.default_rng(0)
    atoms, weights = rng.uniform(-1, 3, 500), rng.random(500)
    nodes, masses = gauss(atoms, weights, 6)
    assert len(nodes) == 6 and (masses > 0).all()
    for power in range(12):
        assert masses @ nodes**power == pytest.approx(weights @ atoms**power, rel=1e-10)


def test_a_spectrum_of_ten_thousand_modes_fits_in_sixteen_nodes():
    atoms = np.geomspace(1e-4, 1e3, 10_000)
    nodes, masses = gauss_of_logarithm(atoms, np.full(10_000, 1e-4), 16)
    for ridge in (1e-3, 1.0, 30.0):
        assert masses @ (nodes / (nodes + ridge)) == pytest.approx(np.mean(atoms / (atoms + ridge)), abs=3e-4)


def test_pooling_keeps_the_sum_and_the_sign():
    found = np.array([0.1, 0.0, 2.0, 0.2, 0.1])
    clean = pooled(found, np.full(5, 0.2))
    assert (clean >= 0).all() and clean.sum() == pytest.approx(found.sum() - 1.0)
    assert not pooled(found, np.ones(5)).any()


@pytest.mark.parametrize("law", [CLOUDS, TEACHER])
def test_the_law_of_the_labels_is_recognized(law):
    assert law_of_labels(*_signed(law), np.random.default_rng(0)) == law


def _signed(law):
    inputs, labels = gaussian(law)
    return inputs, 2.0 * labels - 1


@pytest.mark.parametrize("law", [CLOUDS, TEACHER])
def test_fewer_modes_than_nodes_are_kept_as_they_are(law):
    inputs, labels = _signed(law)
    at = controls(modes(inputs[:, :4], labels, law), 0.5)
    assert sum(at[f"f{i}"] for i in range(16)) == pytest.approx(1.0)
    assert sum(at[f"f{i}"] * at[f"v{i}"] for i in range(16)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "law, loss",
    [
        (CLOUDS, "square"),
        (TEACHER, "square"),
        pytest.param(CLOUDS, "logistic", marks=pytest.mark.slow),
        pytest.param(TEACHER, "logistic", marks=pytest.mark.slow),
        pytest.param(CLOUDS, "hinge", marks=pytest.mark.slow),
    ],
)
def test_prediction_meets_training_on_gaussian_data(law, loss):
    """The prediction sees 1200 samples; what it is compared with is trained on others of the same law and tested on many."""
    inputs, labels = gaussian(law)
    curve = learning_curve(inputs, labels, loss=loss, strength=0.5, sizes=[60, 150, 600], seeds=4)
    assert curve.law == law
    fresh = measure(
        Table.of(*gaussian(law, 12_000, 11)), np.array([60, 150, 600]), loss, 0.5, 16, np.random.default_rng(5), lambda done, total: None
    )
    for name in ("test_error", "test_loss", "training_error", "training_loss"):
        told, error = curve.prediction.values[name][:3], curve.prediction.uncertainty[name][:3]
        z = (told - fresh.values[name]) / np.hypot(error, fresh.stderr[name])
        assert np.abs(z).max() < 4, (name, z)
        assert (error < 0.15 * told + 0.02).all(), (name, error, told)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["square", "huber", "log(cosh(y - z))"])
def test_prediction_of_real_labels_meets_training(loss):
    def numbers(n, seed):
        inputs, _ = gaussian(TEACHER, n, seed)
        noise = np.random.default_rng(seed + 100).standard_normal(n)
        return inputs, inputs @ np.random.default_rng(1).standard_normal(WIDTH) + 3 * noise

    curve = learning_curve(*numbers(SAMPLES, 3), loss=loss, strength=0.5, sizes=[60, 150, 600], seeds=4, regression=True)
    sizes, other = np.array([60, 150, 600]), Table.of(*numbers(12_000, 11), real=True)
    fresh = measure(other, sizes, loss, 0.5, 12, np.random.default_rng(5), lambda done, total: None)
    for name in ("test_error", "test_loss", "training_loss"):
        told, error = curve.prediction.values[name][:3], curve.prediction.uncertainty[name][:3]
        z = (told - fresh.values[name]) / np.hypot(error, fresh.stderr[name])
        assert np.abs(z).max() < 4, (name, z)
        assert (error < 0.15 * told + 0.02).all(), (name, error, told)
    assert "1 - R^2" in str(curve) and curve.figure() is not None


def test_many_eigenvalues_are_integrated_with_few_nodes():
    rng = np.random.default_rng(0)
    values, loads = np.geomspace(1e-3, 1e2, 3000), rng.random(3000)
    told = compressed(laws.Covariance(tuple(values), None, tuple(loads)).spectrum(), False)
    nodes, parts, carried = np.array([[float(e) for e in (p.eigenvalue, p.fraction, p.loading)] for p in told.parts]).T
    assert len(nodes) < 130 and told.error < 1e-10 and "3000 eigenvalues" in told.sentence
    for k in (1e-4, 0.1, 7.0):
        assert parts @ (nodes / (nodes + k)) == pytest.approx(np.mean(values / (values + k)), rel=1e-9)
        exact = np.mean(loads * values**3 / (values + k) ** 2)
        assert (parts * carried) @ (nodes**3 / (nodes + k) ** 2) == pytest.approx(exact, rel=1e-9)


def mixture(eigenvalues: tuple[float, ...] = (), loadings: tuple[float, ...] | None = None) -> Spec:
    """Two clusters and square loss, on a covariance where one is given."""
    student = Student(
        protocol=protocols.ERM(),
        loss=losses.Square(),
        regularizer=regularizers.Ridge(strength="lambda"),
        network=networks.Linear(bias=True),
    )
    groups = {
        "plus": Group(mean={"center": 1}, label=Label(value=1), share="rho"),
        "minus": Group(mean={"center": -1}, label=Label(value=-1), share="1 - rho"),
    }
    return Spec(
        name="two clusters",
        student=student,
        data=Data(law=laws.Covariance(eigenvalues, None, loadings) if eigenvalues else laws.Gaussian(), variance="Delta"),
        latents={"center": Latent(prior=priors.Gaussian())},
        groups=groups,
        controls={name: Control(value=0.5, domain="(0, inf)") for name in ("alpha", "lambda", "rho", "Delta")},
    )


def test_means_on_a_flat_covariance_are_the_plain_mixture():
    """Inputs of variance Delta, as the variance of the groups or as the eigenvalue of a covariance: one and the same."""
    at = {"alpha": 2.0, "lambda": 0.3, "rho": 0.3}
    plain = solve(compile_theory(derive(mixture())), at | {"Delta": 0.5})[0]
    split = solve(compile_theory(derive(mixture((0.25, 0.25)))), at | {"Delta": 2.0})[0]
    for name in ("generalization_error", "training_loss", "bias"):
        assert float(split[name]) == pytest.approx(float(plain[name]), rel=1e-8), name


def test_a_mean_where_nothing_varies_is_refused():
    with pytest.raises(Underivable, match="the spectrum is singular"):
        derive(mixture((0, 1)))
    assert derive(mixture((0, 1), (0, 1))).order_parameters


def test_the_command_prints_json_and_draws(tmp_path, capsys):
    inputs, labels = gaussian(CLOUDS)
    np.save(tmp_path / "X.npy", inputs)
    np.save(tmp_path / "y.npy", labels)
    files = [str(tmp_path / name) for name in ("X.npy", "y.npy")]
    common = [*files, "--loss", "square", "--lambda", "0.5", "--sizes", "100,400", "--seeds", "2"]
    assert main(["learning-curve", *common, "--json", "-o", str(tmp_path / "curve.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["predicted"]["n"] == [100, 400, 2400] and len(found["measured"]["test_error"]["mean"]) == 2
    assert (tmp_path / "curve.png").stat().st_size > 5000
    assert main(["learning-curve", *common, "-o", str(tmp_path / "curve.csv")]) == 0
    assert "twice these data" in capsys.readouterr().out
    assert len((tmp_path / "curve.csv").read_text().splitlines()) == 4
