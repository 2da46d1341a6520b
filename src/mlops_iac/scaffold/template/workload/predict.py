"""load(M), predict(model, rows): 1 where a delivery is expected late, else 0."""

from pathlib import Path

import joblib
import pandas as pd
from columns import CATEGORIES, NUMBERS


def load(folder):
    """The scaling and the classifier that training left in `folder`."""
    folder = Path(folder)
    return joblib.load(folder / "scaling.joblib"), joblib.load(folder / "model.joblib")


def predict(model, rows):
    """One number per row; a row is a dict of the data set's columns."""
    scaling, classifier = model
    table = pd.DataFrame(rows).reindex(columns=NUMBERS + CATEGORIES)
    return classifier.predict(scaling.transform(table)).tolist()
