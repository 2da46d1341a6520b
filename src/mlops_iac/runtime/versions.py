"""What a model was trained with, kept beside it: a pickle need not load under other versions."""

from __future__ import annotations

import json
import platform
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

_NAMED = 10  # packages in a sentence


def record(path: Path, **more: Any) -> None:
    """Write `{"python": version, "packages": {name: version}}` of this interpreter, with what else is known."""
    found = {"python": platform.python_version(), "packages": _packages(), **more}
    path.write_text(json.dumps(found, sort_keys=True), encoding="utf-8")


def changed(path: Path) -> str:
    """What has another version here than where the model was trained; "" for nothing.

    Of Python and of packages that are here, too, as far as the second number of a version goes:
    images for training and for serving have different packages besides. A model without the file,
    or with one that is not ours, was trained with nothing known.
    """
    try:
        then = json.loads(path.read_text(encoding="utf-8"))
        python, packages = str(then["python"]), dict(then["packages"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    here = {"Python": platform.python_version(), **_packages()}
    differ = [
        f"{name} {version} (here {here[name]})"
        for name, version in {"Python": python, **packages}.items()
        if name in here and _series(here[name]) != _series(version)
    ]
    if not differ:
        return ""
    return f"trained with {', '.join(differ[:_NAMED])}{' …' * (len(differ) > _NAMED)}"


def _series(version: str) -> list[str]:
    return str(version).split(".")[:2]


def _packages() -> dict[str, str]:
    found = ((each.metadata["Name"], each.version) for each in distributions())
    return {str(name).lower().replace("_", "-"): str(version) for name, version in found if name}
