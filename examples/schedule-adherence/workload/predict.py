"""load(M), predict(model, rows): 1 where the project is expected to keep its schedule, else 0."""

from pathlib import Path

import joblib
import pandas as pd
from features import features


def load(folder):
    """The scaling and the classifier that training left in `folder`."""
    folder = Path(folder)
    return joblib.load(folder / "scaling.joblib"), joblib.load(folder / "model.joblib")[
        "classifier"
    ]


def predict(model, rows):
    """One number per row; a row is a dict of the data set's columns, any of them may be missing."""
    scaling, classifier = model
    scaled = scaling.transform(features(pd.DataFrame(rows)).to_numpy())
    return classifier.predict(pd.DataFrame(scaled, columns=classifier.feature_names_in_)).tolist()
