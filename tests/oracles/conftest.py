"""The example's real graphs, captured once per run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

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


@pytest.fixture(params=STACKS)
def example_graph(request):
    """The example's graph, of each kind of environment."""
    return capture_example(request.param)
