"""train --data DIR --model M --metrics FILE: several classifiers, the best by accuracy is kept."""

import argparse
import json
import shutil
from pathlib import Path

import joblib
import pandas as pd
from features import TARGET
from pictures import confusion_matrix, feature_importance
from sklearn.base import ClassifierMixin
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

# Each classifier with the values that the search may choose.
CANDIDATES: dict[str, tuple[ClassifierMixin, dict[str, list[object]]]] = {
    "logistic_regression": (LogisticRegression(max_iter=1000), {"C": [0.03, 0.1, 0.3, 1, 10]}),
    "random_forest": (
        RandomForestClassifier(n_estimators=60, random_state=0),
        {"max_depth": [6, 10, None], "min_samples_leaf": [1, 5, 10]},
    ),
    "gradient_boosting": (
        GradientBoostingClassifier(n_estimators=60, subsample=0.7, random_state=0),
        {"learning_rate": [0.05, 0.1, 0.2], "max_depth": [2, 3]},
    ),
    "svm": (SVC(), {"C": [0.3, 1, 3], "gamma": ["scale", 0.02]}),
    "nearest_neighbours": (KNeighborsClassifier(), {"n_neighbors": [5, 15, 31]}),
}
TRIALS = 3  # of a randomised search, per classifier


def search(name: str, kind: str, folds: KFold) -> GridSearchCV | RandomizedSearchCV:
    classifier, values = CANDIDATES[name]
    if kind == "grid":
        return GridSearchCV(classifier, values, cv=folds, scoring="accuracy")
    return RandomizedSearchCV(
        classifier, values, n_iter=TRIALS, cv=folds, scoring="accuracy", random_state=0
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--cv_folds", type=int, default=5)
    parser.add_argument("--search", choices=["grid", "random"], default="random")
    parser.add_argument("--classifier", choices=["all", *CANDIDATES], default="all")
    options = parser.parse_args()

    train = pd.read_csv(options.data / "train.csv")
    x, y = train.drop(columns=TARGET), train[TARGET]
    folds = KFold(n_splits=options.cv_folds, shuffle=True, random_state=0)

    found = {}
    for name in CANDIDATES if options.classifier == "all" else [options.classifier]:
        found[name] = search(name, options.search, folds).fit(x, y)
        print(f"{name}: {found[name].best_score_:.4f} with {found[name].best_params_}", flush=True)
    best = max(found, key=lambda name: found[name].best_score_)
    model = found[best].best_estimator_
    print(f"best: {best}")

    options.model.mkdir(parents=True, exist_ok=True)
    options.metrics.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump({"name": best, "classifier": model}, options.model / "model.joblib")
    shutil.copy(options.data / "scaling.joblib", options.model)

    unseen = cross_val_predict(model, x, y, cv=folds)  # each project judged by folds without it
    confusion_matrix(y, unseen, options.metrics.with_name("confusion_matrix.png"))
    feature_importance(model, x, y, options.metrics.with_name("feature_importance.png"))
    metrics = {"accuracy": found[best].best_score_}
    metrics |= {f"accuracy_{name}": each.best_score_ for name, each in found.items()}
    options.metrics.write_text(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
