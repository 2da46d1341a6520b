"""A platform that deploys in passes, through the API: planned, saved, applied, and held to the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import mlops_iac
from mlops_iac.clouds.aws.sagemaker import SageMaker
from mlops_iac.clouds.base import Before, Pass
from mlops_iac.errors import PlanMoved, UsageError
from mlops_iac.graph.plan import Plan
from tests.sagemaker_blueprints import MINIMAL, write

KEY = "budget.monthly_usd"
FIRST, SECOND = "1 of 2: allow less", "2 of 2: allow what is asked for"
TEXT = f"""{MINIMAL}
owner: team@acme.example
alerts: {{oncall: {{email: team@acme.example}}}}
budget: {{monthly_usd: 30}}
environments: {{dev: {{budget: {{monthly_usd: 10}}}}}}
"""


def changed(plan: Plan) -> list[tuple[str, str]]:
    return [
        (step.during, step.op) for step in plan.changes if step.custom and "Budget" in step.type
    ]


def test_a_stack_is_deployed_in_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = mlops_iac.load(write(tmp_path, TEXT))
    prepared: list[set[str]] = []
    dollars = 20

    def prepare(session: Any, outputs: Mapping[str, Any]) -> None:
        assert session.client("sts").get_caller_identity()["Account"]
        prepared.append(set(outputs))

    def passes(self: SageMaker, resolved: Any, outputs: Any) -> list[Pass]:
        before = Before("waits until the role answers", prepare)
        return [
            Pass("less", "allow less", {KEY: dollars}),
            Pass("all", "allow what is asked for", before=(before,)),
        ]

    monkeypatch.setattr(SageMaker, "passes", passes)
    file = tmp_path / "plan.json"
    try:
        plan = project.save_plan("local", file)
        assert changed(plan) == [(FIRST, "create"), (SECOND, "update")]
        with project.deployment("local", plan=file) as deployment:
            assert deployment.up().failures == {}
        assert len(prepared) == 1
        assert prepared[0]
        # Another first pass is another plan, and a saved one says which pass it is about.
        plan = project.save_plan("local", file)
        assert changed(plan) == [(FIRST, "update"), (SECOND, "update")]
        assert plan.size == 2
        dollars = 25
        with (
            project.deployment("local", plan=file) as deployment,
            pytest.raises(PlanMoved, match=f"in {FIRST}: update differs"),
        ):
            deployment.up()
        dollars = 30  # the first pass has nothing to do, and is left out
        assert changed(project.preview("local")) == []
        with (
            project.deployment("local", targets=["s3.Bucket/x"]) as deployment,
            pytest.raises(UsageError, match="deployed in 2 passes"),
        ):
            deployment.preview()
    finally:
        project.emulated_cloud.stop()
