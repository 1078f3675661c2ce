"""`replica learning-curve`: the learning curve of a data set, predicted from its covariance and measured with scikit-learn."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from numerics.store import save
from simulate.cli.plot import FORMATS
from simulate.cli.request import RequestError, whole_numbers
from simulate.cli.screen import print_json, progress
from simulate.learning_curve import Curve, learning_curve, read
from simulate.learning_curve.features import RandomFeatures

DATA = (".csv", ".nc")


def run(options: Namespace) -> int:
    """Predict, train, print, and save or draw.

    Raises:
        DataError: the data cannot be used.
        RequestError: an option is wrong.
    """
    target = Path(options.output) if options.output else None
    if target is not None and target.suffix.lower() not in (*FORMATS, *DATA):
        raise RequestError(f"-o {target}: unknown format (figures: {' '.join(FORMATS)}; tables: {' '.join(DATA)})")
    if target is not None and not target.resolve().parent.is_dir():
        raise RequestError(f"-o {target}: there is no folder {target.parent}")
    X, y = read(options.X), read(options.y)
    features = None
    if options.random_features is not None:
        (count,) = whole_numbers(str(options.random_features), "--random-features")
        features = RandomFeatures(count)
    sizes = whole_numbers(options.sizes, "--sizes") if options.sizes else None
    with progress("training") as told:
        curve = learning_curve(
            X,
            y,
            loss=options.loss or ("square" if options.regression else "logistic"),
            strength=options.strength,
            sizes=sizes,
            seeds=10 if options.seeds is None else options.seeds,
            law=options.labels,
            positive=[word.strip() for word in options.positive.split(",")] if options.positive else (),
            standardize=options.standardize,
            regression=options.regression,
            features=features,
            progress=told,
        )
    if target is not None:
        _write(curve, target)
    if options.json:
        print_json(curve.to_json())
    else:
        print(curve)
        if target is not None:
            print(target)
    return 0


def _write(curve: Curve, target: Path) -> None:
    """The file appears whole or not at all."""
    if target.suffix.lower() == ".nc":
        save(curve.to_xarray(), target)
        return
    draft = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        if target.suffix.lower() == ".csv":
            curve.to_xarray().to_dataframe().to_csv(draft)
        else:
            curve.figure().savefig(draft, dpi=150)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
