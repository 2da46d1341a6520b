"""evaluate --data DIR --model M --metrics FILE: the model on the fifth it has never seen."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from features import TARGET
from pictures import confusion_matrix
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_score,
    recall_score,
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    options = parser.parse_args()

    test = pd.read_csv(options.data / "test.csv")
    model = joblib.load(options.model / "model.joblib")["classifier"]
    truth, predicted = test[TARGET], model.predict(test.drop(columns=TARGET))
    metrics = {
        "accuracy": accuracy_score(truth, predicted),
        "balanced_accuracy": balanced_accuracy_score(truth, predicted),
        "precision": precision_score(truth, predicted),
        "recall": recall_score(truth, predicted),
        "f1": f1_score(truth, predicted),
    }
    options.metrics.parent.mkdir(parents=True, exist_ok=True)
    options.metrics.write_text(json.dumps(metrics, indent=2))
    confusion_matrix(truth, predicted, options.metrics.with_name("confusion_matrix.png"))
    judged = pd.DataFrame({"truth": truth, "prediction": predicted})
    judged.to_json(options.metrics.with_name("predictions.jsonl"), orient="records", lines=True)
    print(f"accuracy {metrics['accuracy']:.4f} on {len(test)} projects")


if __name__ == "__main__":
    main()
