"""While a saved plan is applied: an operation that it does not have ends the deployment first."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.api.deploy.planned_deployment import guarded
from mlops_iac.engine.protocol import Event
from mlops_iac.errors import PlanMoved
from mlops_iac.graph.plan import Step
from mlops_iac.graph.saved_plan import SavedPlan, operations_of
from mlops_iac.values import UNKNOWN

BUCKET = "urn:pulumi:local::churn::aws:s3/bucket:Bucket::data"


def step(op: Any, urn: str = BUCKET, **inputs: Any) -> Step:
    return Step(op=op, urn=urn, type="aws:s3/bucket:Bucket", name="data", new_inputs=inputs)


def heard(planned: list[Step], *started: Step) -> list[Event]:
    told: list[Event] = []
    saved = SavedPlan("churn", "local", "embedded", "state", {}, operations_of(planned))
    listen = guarded(saved, told.append)
    for each in started:
        listen(Event("start", each))
    return told


@pytest.mark.parametrize(
    ("planned", "started"),
    [
        (step("create", bucket="b"), step("create", bucket="b")),
        (step("create", arn=UNKNOWN), step("create", arn="arn:aws:s3:::b")),
        (step("create", rules=[{"a": UNKNOWN}]), step("create", rules=[{"a": 1}])),
        (step("replace", bucket="b"), step("update", bucket="b")),
        (step("delete"), step("delete", anything="at all")),
    ],
)
def test_what_was_planned_goes_on_and_is_told(planned: Step, started: Step) -> None:
    assert [event.step for event in heard([planned], started)] == [started]


@pytest.mark.parametrize(
    ("planned", "started"),
    [
        (step("same", bucket="b"), step("update", bucket="b")),
        (step("update", bucket="b"), step("delete")),
        (step("create", bucket="b"), step("create", bucket="c")),
        (step("create", bucket="b"), step("create", bucket="b", acl="public-read")),
        (step("create", rules=[1]), step("create", rules=[1, 2])),
        (step("create"), step("create", BUCKET + "2")),
    ],
)
def test_anything_else_ends_it_before_it_starts(planned: Step, started: Step) -> None:
    with pytest.raises(PlanMoved, match="is not what was planned"):
        heard([planned], started)


def test_the_end_of_an_operation_is_never_refused() -> None:
    told: list[Event] = []
    saved = SavedPlan("churn", "local", "embedded", "state", {}, [])
    guarded(saved, told.append)(Event("done", step("create")))
    assert len(told) == 1
