"""prepare --data IN --out DIR: features, an 80/20 split, scaling that only training has seen."""

import argparse
from pathlib import Path

import joblib
import pandas as pd
from features import CATEGORIES, NUMBERS, TARGET, features
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

    files = sorted((options.data / "schedules").rglob("*.csv"))
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    rows = rows.dropna(subset=[TARGET])
    train, test = train_test_split(rows, test_size=0.2, random_state=0, stratify=rows[TARGET])

    # By position: to find a column by its name takes longer than to scale the row of a prediction.
    scaling = ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                slice(len(NUMBERS)),
            ),
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                slice(len(NUMBERS), None),
            ),
        ]
    )
    scaling.fit(features(train).to_numpy())
    categories = scaling.named_transformers_["categories"].get_feature_names_out(CATEGORIES)

    options.out.mkdir(parents=True, exist_ok=True)
    joblib.dump(scaling, options.out / "scaling.joblib")
    for name, part in {"train": train, "test": test}.items():
        table = pd.DataFrame(
            scaling.transform(features(part).to_numpy()), columns=[*NUMBERS, *categories]
        )
        table[TARGET] = part[TARGET].astype(int).to_numpy()
        table.to_csv(options.out / f"{name}.csv", index=False)
        print(f"{name}: {len(table)} projects, {table[TARGET].mean():.1%} kept their schedule")


if __name__ == "__main__":
    main()
