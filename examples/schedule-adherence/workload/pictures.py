"""The pictures beside the metrics."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no display where this runs

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.inspection import permutation_importance
from sklearn.metrics import ConfusionMatrixDisplay


def confusion_matrix(truth: pd.Series, predicted: object, file: Path) -> None:
    display = ConfusionMatrixDisplay.from_predictions(
        truth, predicted, display_labels=["late", "on schedule"], colorbar=False, cmap="Blues"
    )
    _save(display.figure_, file)


def feature_importance(model: ClassifierMixin, x: pd.DataFrame, y: pd.Series, file: Path) -> None:
    """How much accuracy is lost when one column is shuffled."""
    lost = permutation_importance(model, x, y, n_repeats=3, max_samples=0.5, random_state=0)
    top = pd.Series(lost.importances_mean, index=x.columns).nlargest(12)[::-1]
    figure, axes = plt.subplots(figsize=(7, 5))
    axes.barh(top.index, top.to_numpy())
    axes.set_xlabel("accuracy lost when shuffled")
    _save(figure, file)


def _save(figure: plt.Figure, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, dpi=100)
    plt.close(figure)
