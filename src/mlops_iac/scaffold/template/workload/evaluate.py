"""evaluate --data DIR --model M --metrics FILE: the model on the fifth it has never seen."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from columns import TARGET
from sklearn.metrics import accuracy_score, f1_score


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    options = parser.parse_args()

    test = pd.read_csv(options.data / "test.csv")
    predicted = joblib.load(options.model / "model.joblib").predict(test.drop(columns=TARGET))
    metrics = {
        "accuracy": accuracy_score(test[TARGET], predicted),
        "f1": f1_score(test[TARGET], predicted),
    }
    options.metrics.parent.mkdir(parents=True, exist_ok=True)
    options.metrics.write_text(json.dumps(metrics))


if __name__ == "__main__":
    main()
