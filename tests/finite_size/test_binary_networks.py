"""Deep networks of signs: moments against sampled weights, slopes, seeds side by side, training on small tables, and refusals."""

import numpy as np
import pytest

from simulate.deep.tables import bundled, cut
from simulate.instance import Unsupported

torch = pytest.importorskip("torch")
binary = pytest.importorskip("simulate.deep.binary")


def layers(rng, *sizes):
    means = [torch.tensor(rng.uniform(-0.9, 0.9, (1, out, inner))) for inner, out in zip(sizes, sizes[1:], strict=False)]
    return means, [torch.tensor(rng.normal(0, 0.2, (1, 1, out))) for out in sizes[1:]]


def test_moments_of_one_layer_are_exact():
    rng = np.random.default_rng(0)
    means, thresholds = layers(rng, 7, 3)
    x = torch.tensor(rng.standard_normal((1, 4, 7)))
    mean, variance = binary.moments(means, thresholds, x)
    every = 2.0 * ((np.arange(2**7)[:, None] >> np.arange(7)) & 1) - 1
    for unit in range(3):
        odds = np.prod((1 + every * means[0][0, unit].numpy()) / 2, axis=1)
        fields = every @ x[0].numpy().T / np.sqrt(7) + float(thresholds[0][0, 0, unit])
        np.testing.assert_allclose(mean[0, :, unit], odds @ fields, rtol=1e-12)
        np.testing.assert_allclose(variance[0, :, unit], odds @ fields**2 - (odds @ fields) ** 2, rtol=1e-9)


def test_moments_of_deep_networks_are_those_of_sampled_weights():
    """Wide enough that fields are Gaussian: over 4000 networks, to four standard errors and a small bias."""
    rng = np.random.default_rng(1)
    means, thresholds = layers(rng, 60, 80, 5)
    x = torch.tensor(rng.standard_normal((1, 6, 60)))
    mean, variance = (part[0].numpy() for part in binary.moments(means, thresholds, x))
    count, found = 4000, []
    for _ in range(40):
        signs = [torch.tensor(np.where(rng.random((100, *m.shape[1:])) < (1 + m.numpy()) / 2, 1.0, -1.0)) for m in means]
        found.append(binary.outputs(signs, thresholds, x.expand(100, -1, -1)).numpy())
    fields = np.concatenate(found)
    assert np.abs(fields.mean(axis=0) - mean).max() < 4 * np.sqrt(variance.max() / count) + 0.01
    assert np.abs(fields.var(axis=0) / variance - 1).max() < 4 * np.sqrt(2 / count) + 0.05


def test_the_slope_of_trained_means_is_that_of_their_logits():
    rng = np.random.default_rng(2)
    theta, thresholds = layers(rng, 5, 6, 3)
    for one in theta:
        one.requires_grad_(True)
    x, scale = torch.tensor(rng.standard_normal((1, 4, 5))), torch.tensor(1.5)

    def total(*theta):
        return binary.RULES["stochastic_weights"](theta, thresholds, x, scale, 2.0).square().sum()

    assert torch.autograd.gradcheck(total, tuple(theta))


def test_straight_through_passes_signs_inside_the_range_only():
    theta = [torch.tensor([[[0.3, -0.4]]], requires_grad=True), torch.tensor([[[0.5]]], requires_grad=True)]
    thresholds = [torch.zeros(1, 1, 1), torch.zeros(1, 1, 1)]
    for size, passes in ((0.5, True), (5.0, False)):
        x = torch.tensor([[[size, -size]]])
        out = binary.RULES["straight_through"](theta, thresholds, x, torch.tensor(2.0), 1.0)
        assert out.item() == 2.0  # sign((1 + 1) size / sqrt 2) times the sign of 0.5
        (slope,) = torch.autograd.grad(out.sum(), theta[0])
        assert bool(slope.any()) is passes


def table(rng, n=240):
    """Three classes around three corners."""
    y = rng.integers(0, 3, n)
    return np.eye(6)[2 * y] * 2 + 0.4 * rng.standard_normal((n, 6)), y


@pytest.mark.parametrize("rule", ["stochastic_weights", "straight_through"])
def test_networks_of_signs_learn_and_are_tested_as_such(rule):
    tables = cut(*table(np.random.default_rng(3)), seeds=(0, 1))
    training = binary.Training(rule, (16,), epochs=8, batch=20)
    found = binary.train(tables, training)
    assert found.accuracy.min() > 0.9 and set(np.unique(found.weights[0])) == {-1.0, 1.0}
    signs, thresholds = ([torch.tensor(one) for one in part] for part in (found.weights, found.thresholds))
    said = binary.outputs(signs, thresholds, torch.tensor(tables.test_x, dtype=torch.float32)).argmax(2).numpy()
    np.testing.assert_array_equal((said == tables.test_y).mean(axis=1), found.accuracy)
    again = binary.train(cut(*table(np.random.default_rng(3)), seeds=(1,)), training)
    np.testing.assert_allclose(again.accuracy, found.accuracy[1:], atol=1.5 / tables.test_y.shape[1])  # alone or side by side


def test_tables_are_cut_without_a_look_at_the_test():
    X, y = table(np.random.default_rng(4))
    X[:, 5] = 3.0
    tables = cut(X, y, seeds=(0, 1, 2))
    assert tables.x.shape == (3, 180, 6) and tables.test_x.shape == (3, 60, 6) and tables.classes == 3
    np.testing.assert_allclose(tables.x[:, :, :5].mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(tables.x[:, :, :5].std(axis=1), 1, atol=1e-12)
    assert not tables.x[:, :, 5].any() and np.abs(tables.test_x.mean(axis=1)).max() > 1e-3
    assert bundled("digits", (0,)).classes == 10


def test_what_cannot_be_trained_is_said():
    X, y = table(np.random.default_rng(5))
    tables = cut(X, y, seeds=(0,))
    for make, sentence in (
        (lambda: binary.Training("backprop"), "rule must be one of stochastic_weights straight_through, got 'backprop'"),
        (lambda: binary.Training("straight_through", epochs=0), "epochs must be a whole number of 1 or more, got 0"),
        (lambda: binary.Training("straight_through", rate=-1), "rate must be positive, got -1"),
        (lambda: binary.train(tables, binary.Training("straight_through", batch=500)), "a batch of 500 is more than the 180 samples"),
        (lambda: cut(X, y + 0.5, (0,)), "classes are the numbers 0, 1, ..."),
        (lambda: cut(X[:-1], y, (0,)), "found arrays of shapes (239, 6) and (240,)"),
        (lambda: cut(np.where(X > 2, np.nan, X), y, (0,)), "a table of finite numbers"),
        (lambda: bundled("letters", (0,)), "no bundled table 'letters' (bundled: digits wine breast_cancer)"),
    ):
        with pytest.raises(Unsupported) as caught:
            make()
        assert sentence in str(caught.value)
    if not torch.cuda.is_available():
        with pytest.raises(Unsupported, match="no GPU is found"):
            binary.train(tables, binary.Training("straight_through"), device="cuda")
