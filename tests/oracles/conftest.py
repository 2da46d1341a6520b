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


@cache
def capture_example(stack: str) -> ResourceGraph:
    """The symbolic graph of one environment: everything, the serving side included."""
    from mlops_iac.api import load

    return load(BLUEPRINT).capture(stack)


def closed_example(folder: Path) -> Path:
    """The example's blueprint, copied into the folder, with closed networks and an audit trail."""
    open_ = "security: {keys: customer}"
    shut = "{network: private, egress: none, keys: customer, audit_log: true}"
    text = BLUEPRINT.read_text("utf-8")
    assert text.count(open_) == 1
    ignored = shutil.ignore_patterns(".mlops-iac", "__pycache__")
    copy = shutil.copytree(BLUEPRINT.parent, folder / "example", ignore=ignored)
    # From there no index is reached, and the image has no matplotlib.
    wanted = Path(copy) / "workload" / "requirements.txt"
    wanted.write_text(wanted.read_text("utf-8").replace("matplotlib>=3.9,<4\n", ""), "utf-8")
    path = Path(copy) / BLUEPRINT.name
    path.write_text(text.replace(open_, f"security: {shut}"), "utf-8")
    return path


@cache
def closed(stack: str) -> ResourceGraph:
    """The example with closed networks."""
    from mlops_iac.api import load

    with TemporaryDirectory() as folder:
        return load(closed_example(Path(folder))).capture(stack)


@pytest.fixture(params=STACKS)
def example_graph(request):
    """The example's graph, of each kind of environment."""
    return capture_example(request.param)
