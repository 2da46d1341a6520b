"""The smallest blueprint of a team, to lay a template under."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.clouds import registry

SOURCE = "template-under-test"
OWNER = "team@acme.com"
"""No placeholder, which a limit would not take."""
_WHAT = {
    "datasets": {"samples": {"source": "data/samples.csv", "format": "csv", "target": "late"}},
    "models": {
        "sample": {
            "code": "workload/",
            "runtime": {"framework": "scikit-learn", "version": 1.9},
            "train": {"script": "train.py"},
        }
    },
    "serving": {"api": {"mode": "real-time"}},
}
FILES: Mapping[str, str] = {
    "data/samples.csv": "distance_km,late\n1.0,0\n2.0,1\n",
    "workload/train.py": "",
    "workload/predict.py": "def load(folder): ...\ndef predict(model, rows): ...\n",
    "workload/requirements.txt": "",
}
"""What that blueprint names, beside it."""


def head(platform: str, extends: str) -> dict[str, str]:
    """What a team says at least, as YAML by key: where it is deployed, and two environments."""
    forms = registry.forms(platform)
    least = {
        "blueprint": 1,
        "name": "sample",
        "platform": platform,
        "region": forms.example_region,
        "environments": {"dev": {}, "prod": {"account": forms.example_account}},
    }
    return {"extends": extends} | {key: json.dumps(value) for key, value in least.items()}


def what() -> dict[str, str]:
    """A dataset, a model, and a service, as YAML by key."""
    return {key: json.dumps(value) for key, value in _WHAT.items()}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write what the blueprint names into a folder; `files` are more, or other ones."""
    for name, content in {**FILES, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
