"""train --data DIR --model M --metrics FILE: three classifiers, the best by accuracy is kept."""

import argparse
import json
import shutil
from pathlib import Path

import joblib
import pandas as pd
from columns import TARGET
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsClassifier

CANDIDATES = {
    "logistic_regression": (LogisticRegression(max_iter=1000), {"C": [0.1, 1, 10]}),
    "random_forest": (
        RandomForestClassifier(n_estimators=50, random_state=0),
        {"max_depth": [4, 8]},
    ),
    "nearest_neighbours": (KNeighborsClassifier(), {"n_neighbors": [5, 15, 31]}),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--cv_folds", type=int, default=5)
    options = parser.parse_args()

    train = pd.read_csv(options.data / "train.csv")
    x, y = train.drop(columns=TARGET), train[TARGET]
    folds = KFold(n_splits=options.cv_folds, shuffle=True, random_state=0)
    found = {}
    for name, (classifier, values) in CANDIDATES.items():
        found[name] = GridSearchCV(classifier, values, cv=folds, scoring="accuracy").fit(x, y)
        print(f"{name}: {found[name].best_score_:.4f}", flush=True)
    best = max(found, key=lambda name: found[name].best_score_)

    options.model.mkdir(parents=True, exist_ok=True)
    joblib.dump(found[best].best_estimator_, options.model / "model.joblib")
    shutil.copy(options.data / "scaling.joblib", options.model)
    options.metrics.parent.mkdir(parents=True, exist_ok=True)
    options.metrics.write_text(json.dumps({"accuracy": found[best].best_score_}))


if __name__ == "__main__":
    main()
