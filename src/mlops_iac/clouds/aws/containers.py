"""What prebuilt containers do with the code they are given, by framework.

The facts are in `data/containers.json`, each with its source; `docs/containers.md` is made of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlops_iac.clouds.aws import catalogue
from mlops_iac.runtime import contract

# The oldest Python that runs what is packed beside the scripts; `oldest` of a framework has it.
PYTHON = "3.8"


@cache
def facts() -> Mapping[str, Any]:
    """The whole table."""
    return dict(json.loads((Path(__file__).parent / "data" / "containers.json").read_bytes()))


def offline() -> dict[str, str]:
    """Variables with which pip fetches nothing and still installs what needs nothing fetched.

    Without them a container that installs its code folder looks for setuptools on an index, to
    build the folder in an environment of its own, and never starts.
    """
    return dict(facts()["offline"]["environment"])


def oldest(framework: str) -> str | None:
    """The oldest image version whose Python runs the steps; None for an unknown framework."""
    found = facts()["frameworks"].get(framework)
    return None if found is None else str(found["oldest"]["version"])


def cannot_serve(framework: str) -> str | None:
    """Why a framework's serving container does not run `predict.py`; None where it does."""
    found = facts()["frameworks"].get(framework)
    if found is None or set(found["serving"]["handlers"]) <= set(contract.HANDLERS):
        return None
    serving = found["serving"]
    called = " and ".join(serving["handlers"])
    return f"{serving['server']} takes {serving['model']} and calls {called}, no predict.py"


def packages(framework: str, version: str) -> Mapping[str, str] | None:
    """Every package of an image with its version; None where no list of it is published."""
    known = facts()["frameworks"].get(framework, {}).get("packages", {})
    image = catalogue.framework_version(framework, version, "training")
    return known[image]["versions"] if image in known else None
