"""A learning curve: prediction beside measurement, as a table, a dataset and a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from simulate.learning_curve.estimate import CLOUDS, LINEAR, TEACHER, law_of_labels
from simulate.learning_curve.features import standardized
from simulate.learning_curve.population import loss_of
from simulate.learning_curve.predict import Prediction, predict
from simulate.learning_curve.table import LEAST, DataError, Table
from simulate.learning_curve.train import Measurement, measure

LAWS = {
    CLOUDS: "two Gaussian clouds with one covariance",
    TEACHER: "the sign of a linear field plus noise",
    LINEAR: "a linear field plus noise",
}
PARTS = 8  # sizes where nothing is said
OF_CLASSES = ("logistic", "hinge")  # losses that numbers have no use for
HELD_OUT = 0.2  # least part of the data that is left for testing


@dataclass(frozen=True)
class Curve:
    """The result.

    Args:
        table: the data as the learner sees them.
        loss, strength, law: what was asked for, and the law of labels that the prediction supposes.
        prediction: at the measured sizes, and last at twice all data.
        measured: scikit-learn's.
    """

    table: Table
    loss: str
    strength: float
    law: str
    prediction: Prediction
    measured: Measurement

    def __str__(self) -> str:
        """A table in percent, and one sentence about more data."""
        n, p = self.table.X.shape
        linear = 100 * self.prediction.modes.explained
        found, seen = self.prediction, self.measured
        columns = [name for name in ("test_error", "training_error", "test_loss", "training_loss") if name in found.values][:3]
        lines = [
            f"{n} samples, {p} features; {self._classes()}",
            f"{self.loss} loss, lambda = {self.strength:g}",
            f"labels as {LAWS[self.law]}; {linear:.0f}% of their variance is linear in the features",
            "",
            f"{'':>8}" + "".join(f"  {self._words(name):^27}" for name in columns).rstrip(),
            f"{'samples':>8}" + f"  {'predicted':>14} {'measured':>12}" * 3,
        ]
        for i, size in enumerate(seen.sizes):
            cells = [_pair(found, seen, name, i, 100 if name.endswith("error") else 1) for name in columns]
            lines.append(f"{size:>8.0f}  " + "  ".join(cells))
        now, error = 100 * found.values["test_error"][-1], 100 * self.error
        last = 100 * found.values["test_error"][len(seen.sizes) - 1]
        lines += [
            "+- is one standard error: of the estimation from these data (predicted), over random subsamples (measured).",
            "",
            f"With {found.sizes[-1]:.0f} samples, twice these data: {self._error()} of {now:.2f} +- {error:.2f}%"
            f" (with {seen.sizes[-1]}: {last:.2f}%).",
            f"{self.verdict} Quadrature of the spectrum: {found.quadrature:.0e}.",
        ]
        return "\n".join(lines)

    def _classes(self) -> str:
        if self.table.real:
            return "real labels, scaled to variance 1"
        share = 100 * self.prediction.modes.share
        first, second = self.table.classes
        return f"classes: {first} ({100 - share:.0f}%) and {second} ({share:.0f}%)"

    def _error(self) -> str:
        return "an unexplained part of the variance" if self.table.real else "a test error"

    def _words(self, name: str) -> str:
        if self.table.real and name == "test_error":
            return "1 - R^2 of the test, %"
        return name.replace("_", " ") + (", %" if name.endswith("error") else "")

    @property
    def gap(self) -> float:
        """Root mean square over the sizes of the difference of predicted and measured test errors."""
        return float(np.sqrt(np.mean(self._difference**2)))

    @property
    def error(self) -> float:
        """Of the test error predicted for twice the data: that of the estimation, and the gap where the data show one."""
        own = float(self.prediction.uncertainty["test_error"][-1])
        return own if self.agrees else float(np.hypot(own, self.gap))

    @property
    def agrees(self) -> bool:
        """Whether the test errors differ by no more than two standard errors, in root mean square."""
        error = np.hypot(self.prediction.uncertainty["test_error"][: len(self._difference)], self.measured.stderr["test_error"])
        return float(np.mean((self._difference / np.maximum(error, 1e-12)) ** 2)) <= 4

    @property
    def _difference(self) -> np.ndarray:
        seen = self.measured.values["test_error"]
        return self.prediction.values["test_error"][: len(seen)] - seen

    @property
    def verdict(self) -> str:
        """What the comparison says of the prediction, in a sentence."""
        points = f"Predicted and measured test errors differ by {100 * self.gap:.2f} points"
        if self.agrees:
            return f"{points}, as their errors allow."
        return f"{points}, more than their errors allow: these data are less Gaussian than the theory supposes. The error above counts it."

    def to_json(self) -> dict[str, object]:
        """Everything as plain lists."""
        seen = {
            name: {"mean": values.tolist(), "stderr": self.measured.stderr[name].tolist()} for name, values in self.measured.values.items()
        }
        told = {
            name: {"value": v.tolist(), "stderr": self.prediction.uncertainty[name].tolist()} for name, v in self.prediction.values.items()
        }
        n, p = self.table.X.shape
        return {
            "samples": n,
            "features": p,
            "classes": list(self.table.classes),
            "share": None if self.table.real else self.prediction.modes.share,
            "loss": self.loss,
            "lambda": self.strength,
            "labels": self.law,
            "explained": self.prediction.modes.explained,
            "quadrature": self.prediction.quadrature,
            "gap": self.gap,
            "agrees": self.agrees,
            "error": self.error,
            "predicted": {"n": self.prediction.sizes.tolist(), **told},
            "measured": {"n": self.measured.sizes.tolist(), **seen},
        }

    def to_xarray(self) -> xr.Dataset:
        """Columns over `n`: NAME, NAME_error (prediction) and NAME_measured, NAME_stderr; nan where nothing was trained."""
        found = xr.Dataset(coords={"n": self.prediction.sizes}, attrs={"loss": self.loss, "lambda": self.strength, "labels": self.law})
        fill = np.full(len(self.prediction.sizes) - len(self.measured.sizes), np.nan)
        for name in self.prediction.values:
            found[name] = ("n", self.prediction.values[name])
            found[f"{name}_error"] = ("n", self.prediction.uncertainty[name])
            found[f"{name}_measured"] = ("n", np.concatenate([self.measured.values[name], fill]))
            found[f"{name}_stderr"] = ("n", np.concatenate([self.measured.stderr[name], fill]))
        return found

    def figure(self) -> Any:
        """Errors and losses against the number of samples: bands are predicted, points measured."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.2, 3.6), layout="constrained")
        for place, what in enumerate(("error", "loss")):
            panel = figure.add_subplot(1, 2, place + 1)
            for word, color in (("test", "C0"), ("training", "C1")):
                name = f"{word}_{what}"
                if name not in self.prediction.values:
                    continue
                value, error = self.prediction.values[name], self.prediction.uncertainty[name]
                panel.fill_between(self.prediction.sizes, np.maximum(value - error, 0), value + error, alpha=0.2, color=color, lw=0)
                panel.plot(self.prediction.sizes, value, color=color, label=f"{word}, predicted")
                seen = self.measured
                panel.errorbar(
                    seen.sizes, seen.values[name], yerr=seen.stderr[name], fmt="o", ms=4, capsize=2, color=color, label=f"{word}, measured"
                )
            panel.set_xscale("log")
            panel.set_xlabel("number of samples")
            panel.set_ylabel({"error": "1 - R^2" if self.table.real else "error", "loss": f"{self.loss} loss per sample"}[what])
            panel.set_ylim(bottom=0)
            panel.grid(alpha=0.3)
            panel.legend(fontsize="small")
        what = "real labels" if self.table.real else " against ".join(self.table.classes)
        figure.suptitle(f"{what}: {self.loss} loss, lambda = {self.strength:g}")
        return figure


def _pair(found: Prediction, seen: Measurement, name: str, i: int, scale: float) -> str:
    digits = 2 if scale == 100 else 4
    one = f"{scale * found.values[name][i]:.{digits}f} +- {scale * found.uncertainty[name][i]:.{digits}f}"
    two = f"{scale * seen.values[name][i]:.{digits}f} +- {scale * seen.stderr[name][i]:.{digits}f}"
    return f"{one:>14} {two:>14}"


def learning_curve(
    X: Any,
    y: Any,
    *,
    loss: str = "logistic",
    strength: float = 1.0,
    sizes: Sequence[int] | None = None,
    seeds: int = 10,
    law: str | None = None,
    positive: Sequence[str] = (),
    standardize: bool = False,
    regression: bool = False,
    features: Any = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Curve:
    """Predict the learning curve of a linear rule on a data set with two classes, or with real labels, and train beside it.

    The rule minimizes the sum of losses + strength |w|^2/2 with a free bias: `LogisticRegression(C=1/strength)`, `Ridge(strength)` on
    labels -1 and 1, `SVC(kernel="linear", C=1/strength)`.

    Args:
        X: (n, p) features.
        y: (n,) labels of two kinds, or of more with `positive`; numbers with `regression`.
        loss: logistic, hinge, square, huber, or a formula of the label y and the output z, differentiable and convex in z.
        sizes: numbers of training samples; if absent, eight up to 80% of the data.
        seeds: subsamples at every size.
        law: `clouds` or `teacher`, see `estimate`; if absent, the likelier one.
        positive: labels that are one class against all others.
        regression: labels are numbers; they are centered and scaled to variance 1, and errors are mean squares.
        standardize: scale every feature to variance 1 first.
        features: a scikit-learn transformer, or anything with `fit_transform`, applied last; it is fitted to all of X, which is what the
            prediction is about.
        seed: of subsamples and halves.

    Raises:
        DataError: the data or the request cannot be used, in one line.
    """
    loss_of(loss)
    if not (np.isfinite(strength) and strength > 0):
        raise DataError(f"--lambda: must be a positive number, found {strength:g}")
    if seeds < 2:
        raise DataError(f"--seeds: at least 2 subsamples are needed for an error bar, found {seeds}")
    if law not in (None, CLOUDS, TEACHER):
        raise DataError(f"--labels: '{law}' is not known here (laws: {CLOUDS} {TEACHER})")
    if regression and (law is not None or positive or loss in OF_CLASSES):
        word = "--labels" if law is not None else "--positive" if positive else f"--loss {loss}"
        raise DataError(f"--regression: {word} is for classes (losses of numbers: square huber, or a formula of y and z)")
    table = Table.of(X, y, positive, regression)
    inputs = standardized(table.X) if standardize else table.X
    if features is not None:
        inputs = features.fit_transform(inputs)
    table = Table.of(inputs, table.y, (), regression).called(table.classes)
    points = _sizes(table, sizes)
    rng = np.random.default_rng(seed)
    chosen = LINEAR if regression else law or law_of_labels(table.X, table.y, rng)
    prediction = predict(table, np.append(points, 2 * len(table.y)).astype(float), loss, strength, chosen, rng)
    measured = measure(table, points, loss, strength, seeds, rng, progress)
    return Curve(table, loss, strength, chosen, prediction, measured)


def _sizes(table: Table, asked: Sequence[int] | None) -> np.ndarray:
    n = len(table.y)
    fewest = 1.0 if table.real else min((table.y > 0).mean(), (table.y < 0).mean())
    least = int(np.ceil(LEAST / fewest))  # so that subsamples have both classes
    most = int((1 - HELD_OUT) * n)
    if asked is None:
        return np.unique(np.geomspace(min(max(least, 20, n // 50), most), most, PARTS).round().astype(int))
    for size in asked:
        if not least <= size < n:
            raise DataError(f"--sizes: {size} is not possible (allowed: {least} to {n - 1}, {n} samples in all)")
    return np.unique(np.asarray(asked, dtype=int))
