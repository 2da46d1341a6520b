"""Endpoints are asked after a deployment for what their versions answered before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.api.deploy import smoke as module
from mlops_iac.api.deploy.smoke import Smoke, smoke
from mlops_iac.clouds.operations import ModelRefused

KEPT = {"rows": [{"x": 1}, {"x": 2}], "predictions": [0.5, 1], "repeatable": True}


def refuse(*_: object) -> bytes:
    raise ModelRefused(500, "predict failed: KeyError: 'y'")


def forbid(*_: object) -> bytes:
    raise PermissionError("not you")


def answering(*values: Any) -> Callable[..., bytes]:
    return lambda *_: json.dumps({"predictions": list(values)}).encode()


@pytest.fixture(autouse=True)
def _session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "session", lambda *_, **__: None)


def asked(
    answer: Callable[..., bytes],
    kept: Any = KEPT,
    *,
    op: str = "update",
    shadow: bool = False,
    variants: int = 1,
) -> tuple[Smoke, list[dict[str, Any]]]:
    """What a deployment says of one endpoint, and what was sent to it."""
    sent: list[dict[str, Any]] = []

    def invoke(_: Any, __: Any, body: bytes, kind: str, *, variant: str) -> Any:
        assert kind == "application/json"
        sent.append(json.loads(body) | {"variant": variant})
        return SimpleNamespace(body=answer())

    names = [f"v{i}" for i in range(variants)]
    entry = SimpleNamespace(
        variants=[SimpleNamespace(name=n, model="g", version="3", shadow=shadow) for n in names]
    )
    endpoint = SimpleNamespace(urn="urn:endpoint", recorded=False)
    registry = SimpleNamespace(describe=lambda id_: id_, examples=lambda _: kept)
    operations = SimpleNamespace(
        invoke=invoke,
        endpoints=lambda _: {"api": endpoint},
        entry=lambda *_: entry,
        registry=lambda _: registry,
        served=lambda _: [SimpleNamespace(group="g", version="3", id="id")],
    )
    denied = SimpleNamespace(
        failure=lambda error: "refused" if isinstance(error, PermissionError) else None
    )
    project = SimpleNamespace(operations=operations, access=denied)
    deployment: Any = SimpleNamespace(
        project=project, stack="prod", region="", resources=lambda: [endpoint]
    )
    steps: Any = [SimpleNamespace(urn="urn:endpoint", op=op)]
    return smoke(deployment, steps), sent


def test_what_changed_is_sent_the_rows_of_its_version() -> None:
    found, sent = asked(answering(0.5 + 1e-9, 1))
    assert found == Smoke(asked=("api",))
    assert sent == [{"instances": KEPT["rows"], "variant": "v0"}]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answering(0.5, 2), "2 instead of 1 for example row 2"),
        (answering(7, 7), "7 instead of 0.5 for example row 1, and 1 more of 2 rows"),
        (answering(0.5), "1 predictions for 2 rows"),
        (lambda *_: b"hello", "its answer has no predictions"),
        (lambda *_: b"[]", "its answer has no predictions"),
        (refuse, "500: predict failed: KeyError: 'y'"),
    ],
)
def test_an_answer_that_differs_is_told(answer: Callable[..., bytes], words: str) -> None:
    found, _ = asked(answer)
    assert found.wrong == (f"api does not answer as 3 did: {words}",)
    assert not found.asked


def test_what_is_drawn_anew_is_compared_by_number_alone() -> None:
    kept = {**KEPT, "repeatable": False}
    assert asked(answering(8, 9), kept)[0].asked == ("api",)
    assert asked(answering(8), kept)[0].wrong


def test_each_variant_is_asked_by_its_name() -> None:
    found, sent = asked(answering(0.5, 1), variants=2)
    assert found.asked == ("api, variant v0", "api, variant v1")
    assert [each["variant"] for each in sent] == ["v0", "v1"]


def test_who_may_not_ask_is_told_and_nothing_is_wrong() -> None:
    found, _ = asked(forbid)
    assert (found.asked, found.wrong) == ((), ())
    assert found.notes == ("not known: whether api answers: not you",)


def _silent() -> Iterator[dict[str, Any]]:
    yield {"op": "same"}
    yield {"shadow": True}
    yield {"kept": {}}
    yield {"kept": {**KEPT, "rows": [], "predictions": []}}
    yield {"kept": {"rows": [1]}}


@pytest.mark.parametrize("case", list(_silent()), ids=str)
def test_nobody_is_asked_where_there_is_nothing_to_compare(case: dict[str, Any]) -> None:
    found, sent = asked(answering(0), **case)
    assert (found, sent) == (Smoke(), [])


def test_a_fault_of_ours_is_not_taken_for_an_answer() -> None:
    def fault(*_: object) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asked(fault)
