"""prepare --data IN --out DIR: an 80/20 split, and scaling that only training has seen."""

import argparse
from pathlib import Path

import joblib
import pandas as pd
from columns import CATEGORIES, DATASET, NUMBERS, TARGET
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    files = sorted((options.data / DATASET).rglob("*.csv"))
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    train, test = train_test_split(rows, test_size=0.2, random_state=0, stratify=rows[TARGET])

    scaling = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    scaling.fit(train)

    options.out.mkdir(parents=True, exist_ok=True)
    joblib.dump(scaling, options.out / "scaling.joblib")
    for name, part in {"train": train, "test": test}.items():
        table = scaling.transform(part)
        table[TARGET] = part[TARGET]
        table.to_csv(options.out / f"{name}.csv", index=False)


if __name__ == "__main__":
    main()
