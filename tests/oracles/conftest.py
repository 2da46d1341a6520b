"""The example's real graphs, captured once per run."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mlops_iac.graph.model import ResourceGraph

BLUEPRINT = Path(__file__).parents[2] / "examples/schedule-adherence/blueprint.yaml"
# `dev` trains and retrains, `prod` promotes and serves with a canary.
STACKS = ("dev", "prod")
# The one that the real provider creates in moto.
APPLIED = "dev"


@cache
def capture_example(stack: str) -> ResourceGraph:
    """The symbolic graph of one environment: everything, the serving side included."""
    from mlops_iac.api import load

    return load(BLUEPRINT).capture(stack)


# Names of the network's and the trail's resources in a closed stack, and of what they refer to.
CLOSED = ("network-", "audit-", "keys-", "data-")


@cache
def closed(stack: str) -> ResourceGraph:
    """The example with closed networks."""
    from mlops_iac.api import load

    open_ = "security: {keys: customer}"
    shut = "{network: private, egress: none, keys: customer, audit_log: true}"
    text = BLUEPRINT.read_text("utf-8")
    assert text.count(open_) == 1
    with TemporaryDirectory() as folder:
        copy = shutil.copytree(
            BLUEPRINT.parent,
            Path(folder) / "example",
            ignore=shutil.ignore_patterns(".mlops-iac", "__pycache__"),
        )
        path = Path(copy) / BLUEPRINT.name
        path.write_text(text.replace(open_, f"security: {shut}"), "utf-8")
        return load(path).capture(stack)


@pytest.fixture(params=STACKS)
def example_graph(request):
    """The example's graph, of each kind of environment."""
    return capture_example(request.param)
