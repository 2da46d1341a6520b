"""Versions of a model on Azure ML: listed, decided about, deleted; asked of the emulated ARM."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.azure.access import AzureAccess
from mlops_iac.clouds.azure.ml.conditions import conditions
from mlops_iac.clouds.azure.ml.parts import Part
from mlops_iac.clouds.azure.ml.registry import API, ModelContainers, delete_versions, held
from mlops_iac.clouds.azure.ml.runs import last_run
from mlops_iac.clouds.azure.types import MODEL as MODEL_TYPE
from mlops_iac.clouds.operations import APPROVED, REJECTED, WAITING
from mlops_iac.clouds.questions import Questions
from mlops_iac.emulators.azure.arm import Answer, Arm
from mlops_iac.emulators.azure.store import ArmStore
from mlops_iac.errors import AuthenticationError
from mlops_iac.graph.model import Resource

SUBSCRIPTION = "4f1c9a52-7d3e-4b0c-9e61-0a8d2c5b7f36"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/flowers"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/flowers"
MODEL = f"{WORKSPACE}/models/iris"
DECIDED = datetime(2026, 12, 1, 16, 30, tzinfo=UTC)


class _Session:
    """One that is signed in as Ada, in front of a store or of what answers like one."""

    place = Place("westeurope", SUBSCRIPTION)
    who = "ada@example.org"

    def __init__(self, transport: Any) -> None:
        self.arm = Arm(transport)


def version(number: str, approval: str | None = "pending", **tags: str) -> dict[str, Any]:
    """What the step that registers puts (`clouds/azure/runtime`)."""
    tags |= {"metric.f1": "0.93", "metric.odd": "much"}
    return {
        "properties": {
            "modelType": "custom_model",
            "modelUri": f"azureml://datastores/blobs/paths/work/iris/run-{number}/model/",
            "properties": {"kept": "yes"},
            "tags": tags | ({"approval": approval} if approval else {}),
        }
    }


@pytest.fixture
def session() -> _Session:
    there = _Session(ArmStore(now=lambda: datetime(2026, 11, 30, tzinfo=UTC)))
    there.arm.call("PUT", GROUP, "2024-03-01", {"location": "westeurope"})
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/flowers"
    there.arm.call(
        "PUT",
        account,
        "2024-01-01",
        {
            "location": "westeurope",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "properties": {},
        },
    )
    there.arm.call("PUT", WORKSPACE, API, {"location": "westeurope", "properties": {}})
    for number, approval in (("2", "pending"), ("10", None), ("1", "approved")):
        there.arm.call("PUT", f"{MODEL}/versions/{number}", API, version(number, approval))
    # Somebody else's, by hand.
    there.arm.call("PUT", f"{MODEL}/versions/first-try", API, version("x", "approved"))
    return there


def registry(session: Any) -> ModelContainers:
    return ModelContainers(session, lambda: DECIDED)


def test_versions_are_those_that_are_numbered_newest_first(session: _Session) -> None:
    found = registry(session).versions(MODEL)
    assert [(each.version, each.status, each.model) for each in found] == [
        (10, WAITING, "iris"),
        (2, WAITING, "iris"),
        (1, APPROVED, "iris"),
    ]
    assert [each.version for each in registry(session).versions(MODEL, APPROVED)] == [1]
    assert registry(session).versions(f"{WORKSPACE}/models/gone") == []


def test_what_is_registered_about_a_version(session: _Session) -> None:
    found = registry(session).describe(f"{MODEL}/versions/2")
    assert (found.metrics, found.run) == ({"f1": 0.93}, "run-2")
    assert (found.by, found.comment, found.decided) == ("", "", "")
    assert found.created == datetime(2026, 11, 30, tzinfo=UTC)


def test_a_decision_stays_in_the_version_and_changes_nothing_else(session: _Session) -> None:
    id_ = f"{MODEL}/versions/2"
    registry(session).decide(id_, approve=True, comment="better than 1")
    found = registry(session).describe(id_)
    assert (found.status, found.by, found.comment) == (
        APPROVED,
        "ada@example.org",
        "better than 1",
    )
    assert found.decided == "2026-12-01T16:30:00Z"
    assert registry(session).versions(MODEL, APPROVED)[0].version == 2
    session.who = "bob@example.org"
    registry(session).decide(id_, approve=False)
    found = registry(session).describe(id_)
    assert (found.status, found.by, found.comment) == (REJECTED, "bob@example.org", "")
    assert found.metrics == {"f1": 0.93}
    said, before = found.details["properties"], version("2")["properties"]
    assert {key: said[key] for key in ("modelUri", "modelType", "properties")} == {
        key: before[key] for key in ("modelUri", "modelType", "properties")
    }


def test_versions_go_with_their_model(session: _Session) -> None:
    made = Resource("urn", MODEL_TYPE, "iris", custom=True, id=MODEL)
    assert list(held([made], session)) == ["3 registered model versions go with iris"]
    assert delete_versions([made], session) == 3
    assert list(held([made], session)) == []


def test_who_is_signed_out_deletes_none() -> None:
    refusal = Answer(401, {"error": {"code": "ExpiredAuthenticationToken", "message": "x"}})
    made = Resource("urn", MODEL_TYPE, "iris", custom=True, id=MODEL)
    with pytest.raises(AuthenticationError, match="the model versions in iris cannot be deleted"):
        delete_versions([made], _Session(_Said(refusal)))


def test_a_subscription_has_its_resource_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [
        Part(namespaces=("Microsoft.Storage", "Microsoft.App")),
        Part(namespaces=("Microsoft.App",)),
    ]
    monkeypatch.setattr("mlops_iac.clouds.azure.ml.conditions.present", lambda _: parts)
    scope: Any = SimpleNamespace(blueprint=SimpleNamespace(account=SUBSCRIPTION))
    said = Answer(200, {"namespace": "x", "registrationState": "NotRegistered"})
    found = list(conditions(scope, cast("Any", _Session(_Said(said)))))
    assert [each.name for each in found] == ["Microsoft.App", "Microsoft.Storage"]
    fix = f"az provider register --namespace Microsoft.App --subscription {SUBSCRIPTION}"
    assert (found[0].met, found[0].found, found[0].fix) == (False, "NotRegistered", fix)


class _Said:
    """Answers all requests alike: no emulated ARM runs jobs."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def request(self, method: str, path: str, query: Any, body: Any) -> Answer:
        return self._answer


def _job(name: str, component: str, status: str, created: str) -> dict[str, Any]:
    properties = {"jobType": "Pipeline", "componentId": component, "status": status}
    return {"name": name, "properties": properties, "systemData": {"createdAt": created}}


def test_the_last_run_is_the_newest_job_of_any_version_of_the_pipeline() -> None:
    mine = f"{WORKSPACE}/components/iris/versions"
    jobs = [
        _job("b", f"{mine}/0a", "NotStarted", "2026-12-01T10:00:00.123+00:00"),
        _job("a", f"{mine}/1b", "Failed", "2026-11-01T10:00:00+00:00"),
        _job("c", f"{WORKSPACE}/components/rose/versions/1", "Completed", "2026-12-02T00:00:00Z"),
    ]
    access = AzureAccess()

    def asked(found: Any) -> Any:
        questions = Questions(access, _Session(_Said(Answer(200, {"value": found}))), "prod", "")
        return last_run(f"{mine}/1b", questions)

    last = asked(jobs)
    assert (last.id, last.status, last.started) == ("b", "running", "2026-12-01T10:00:00Z")
    assert asked(jobs[1:]).status == "failed"
    assert asked([]) is None
