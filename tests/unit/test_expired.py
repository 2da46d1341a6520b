"""Which stacks are past their time, and how ending them goes on when one cannot be ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.stacks.ephemeral_record import STACK_TAG
from mlops_iac.api.stacks.expired import end, expired
from mlops_iac.engine import pulumi_backend
from mlops_iac.engine.protocol import Result
from mlops_iac.engine.pulumi_backend import Listed
from mlops_iac.errors import AuthenticationError, MlopsError

TEXT = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
environments:
  dev: {state: {backend: "s3://one"}}
  prod: {state: {backend: "s3://two"}}
"""
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAST, LATER = "2026-11-21T12:00:00Z", "2026-11-21T12:00:01Z"


class FakeBackend:
    """What lies in backends, by URL and stack: tags."""

    kept: Mapping[str, dict[str, dict[str, str]]] = {}
    broken: frozenset[str] = frozenset()
    ended: list[str]

    def __init__(self, project: str, url: str = "") -> None:
        assert project == "churn"
        self._url = url

    def __enter__(self) -> Self:
        if self._url in self.broken:
            raise AuthenticationError("nobody is logged in")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def stacks(self) -> list[Listed]:
        return [Listed(name) for name in self.kept[self._url]]

    def tags(self, stack: str) -> dict[str, str]:
        if stack in self.broken:
            raise MlopsError("in use")
        return self.kept[self._url][stack]

    def export(self, stack: str) -> dict[str, Any]:
        return {"version": 3, "deployment": None}

    def destroy(self, stack: str, *, on_event: object) -> Result:
        self.ended.append(f"destroy {stack}")
        return Result((), failures={"urn::x": "held"} if stack == "pr-held" else {})

    def remove(self, stack: str) -> None:
        self.ended.append(f"remove {stack}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(pulumi_backend, "Backend", FakeBackend)
    monkeypatch.setattr(FakeBackend, "ended", [], raising=False)
    monkeypatch.setattr(FakeBackend, "broken", frozenset())
    path = tmp_path / "blueprint.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return load(path)


def keep(one: Mapping[str, str], two: Mapping[str, str] | None = None) -> None:
    FakeBackend.kept = {
        url: {name: {STACK_TAG: text} if text else {} for name, text in (stacks or {}).items()}
        for url, stacks in (("s3://one", one), ("s3://two", two))
    }


def test_only_what_is_past_its_time_and_not_declared(project: Project) -> None:
    keep(
        {"pr-1": f"dev until {PAST}", "pr-2": f"dev until {LATER}", "dev": f"dev until {PAST}"},
        {"pr-3": f"prod until {PAST}", "hand": "", "odd": "dev until some day"},
    )
    found = expired(project, NOW)
    assert [(item.stack, item.url) for item in found.stacks] == [
        ("pr-1", "s3://one"),
        ("pr-3", "s3://two"),
    ]
    assert found.silent == {}


def test_what_cannot_be_asked_does_not_hide_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep({"pr-1": f"dev until {PAST}", "pr-2": f"dev until {PAST}"}, {})
    monkeypatch.setattr(FakeBackend, "broken", frozenset({"s3://two", "pr-1"}))
    found = expired(project, NOW)
    assert [item.stack for item in found.stacks] == ["pr-2"]
    assert set(found.silent) == {"s3://two", "pr-1"}


def test_the_stack_goes_after_its_resources_and_stays_where_they_do(project: Project) -> None:
    keep({"pr-1": f"gone until {PAST}", "pr-held": f"dev until {PAST}"}, {})
    ended = [end(item, NOW) for item in expired(project, NOW).stacks]
    assert [(item.stack, list(item.failures)) for item in ended] == [
        ("pr-1", []),
        ("pr-held", ["x: held"]),
    ]
    assert FakeBackend.ended == ["destroy pr-1", "remove pr-1", "destroy pr-held"]


def test_one_that_was_renewed_meanwhile_is_let_alone(project: Project) -> None:
    keep({"pr-1": f"dev until {PAST}"}, {})
    (item,) = expired(project, NOW).stacks
    keep({"pr-1": f"dev until {LATER}"}, {})
    assert "renewed meanwhile" in end(item, NOW).failures[0]
    assert FakeBackend.ended == []
