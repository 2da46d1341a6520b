"""Across accounts both sides must say yes: each need of `prod`, granted there and in `dev`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.blueprint import load
from mlops_iac.clouds.registry import platform
from mlops_iac.graph.model import Resource
from tests.components.capture import one
from tests.components.planned import captured
from tests.components.traps_graph import Graph, document, listed, uris

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"
TRAINS, SERVES = "012345678901", "210987654321"
VIA = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
BUCKET = "arn:aws:s3:::schedule-adherence-dev-data-artifacts-*"
VIA_BUCKET = {**VIA, "StringLike": {"kms:EncryptionContext:aws:s3:arn": [BUCKET]}}


@pytest.fixture(scope="module")
def sides() -> tuple[Graph, Graph]:
    made = []
    for stack in ("dev", "prod"):
        resolved = load(EXAMPLE).resolve(stack)
        calls = platform("sagemaker").plan(resolved)
        settings = {"models.adherence.version": "1"}
        made.append(
            Graph(stack, captured(calls, stack=stack, project=resolved.name, settings=settings))
        )
    return made[0], made[1]


def missing(dev: Graph, prod: Graph) -> Iterator[str]:
    """What either side does not grant."""
    (register,) = [each for each in dev.steps if each["Type"] == "RegisterModel"]
    (seal,) = [each for each in dev.steps if each["Name"] == "Seal"]
    assert register
    (output,) = uris(seal["Arguments"]["target"])
    artifact = f"arn:aws:s3:::{output.removeprefix('s3://')}/x/model.tar.gz"
    # The capture makes a name of the logical one alone, a deployment puts the stack's before it.
    deployed = artifact.replace(":::", ":::schedule-adherence-dev-")
    key = (
        one(dev.resources, "aws:kms/key:Key", "keys-data")
        .outputs["arn"]
        .replace("123456789012", TRAINS)
    )  # the capture knows one account only
    version = one(prod.resources, "aws:sagemaker/model:Model").inputs["primaryContainer"][
        "modelPackageName"
    ]
    for what, action, resource, condition in (
        (
            "artifacts",
            "s3:GetObject",
            deployed,
            {"StringEquals": {"aws:ResourceAccount": [TRAINS]}},
        ),
        ("key", "kms:Decrypt", key, VIA_BUCKET),
    ):
        if not _grants(prod.statements("promotion-policy"), action, resource, condition, None):
            yield f"prod does not ask for the {what}"
    for what, name, action, resource, condition in (
        ("artifacts", "data-artifacts-policy", "s3:GetObject", artifact, {}),
        ("key", "keys-data", "kms:Decrypt", key, VIA),
        *(
            ("registry", "adherence-registry-group-policy", f"sagemaker:{action}",
             version.replace(TRAINS, "123456789012"), {})
            for action in ("DescribeModelPackage", "CreateModel")
        ),
    ):  # fmt: skip
        if not _grants(dev.statements(name), action, resource, condition, SERVES):
            yield f"dev does not give the {what} ({action})"


def _grants(
    statements: list[dict[str, Any]],
    action: str,
    resource: str,
    condition: dict[str, Any],
    account: str | None,
) -> bool:
    return any(
        each["Effect"] == "Allow"
        and action in listed(each["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in listed(each["Resource"]))
        and each.get("Condition", {}) == condition
        and (
            account is None
            or f"arn:aws:iam::{account}:root" in listed(each["Principal"].get("AWS", []))
        )
        for each in statements
    )


def test_both_sides_say_yes(sides: tuple[Graph, Graph]) -> None:
    assert [*missing(*sides)] == []


@pytest.mark.parametrize(
    ("side", "name", "sid"),
    [
        (0, "data-artifacts-policy", "Readers"),
        (0, "keys-data", "Readers"),
        (0, "adherence-registry-group-policy", "Readers"),
        (1, "promotion-policy", "ReadPromoted"),
        (1, "promotion-policy", "DecryptPromoted"),
    ],
)
def test_one_side_is_not_enough(sides: tuple[Graph, Graph], side: int, name: str, sid: str) -> None:
    graphs = list(sides)
    graphs[side] = _without(graphs[side], name, sid)
    assert [*missing(*graphs)]


def _without(graph: Graph, name: str, sid: str) -> Graph:
    found = graph.named(name)
    assert found is not None
    kept = [each for each in document(found) if each["Sid"] != sid]
    assert len(kept) < len(document(found))
    key = next(each for each in ("policy", "resourcePolicy") if each in found.inputs)
    changed: Resource = replace(
        found, inputs={**found.inputs, key: json.dumps({"Statement": kept})}
    )
    return Graph(graph.name, [changed if each is found else each for each in graph.resources])


def test_nobody_else_is_let_in(sides: tuple[Graph, Graph]) -> None:
    """Data, code, captures and logs stay where they are; only models are read from elsewhere."""
    for graph in sides:
        for each in graph.resources:
            if each.type not in ("aws:s3/bucketPolicy:BucketPolicy", "aws:kms/key:Key"):
                continue
            for statement in document(each):
                principals = statement["Principal"].get("AWS", [])
                others = [arn for arn in listed(principals) if SERVES in arn or "112233" in arn]
                if not others or each.type == "aws:kms/key:Key":
                    continue
                assert each.name == "data-artifacts-policy"
                assert statement["Resource"].endswith("/models/*")


def test_a_model_of_the_same_account_is_read_too(tmp_path: Path) -> None:
    """No bucket's policy has to admit it, but the endpoint's role has to be given it."""
    text = re.sub(r"account: \d+", "account: 111111111111", EXAMPLE.read_text(encoding="utf-8"))
    for name in ("workload", "data"):
        shutil.copytree(EXAMPLE.parent / name, tmp_path / name)
    (tmp_path / "blueprint.yaml").write_text(text, encoding="utf-8")
    calls = platform("sagemaker").plan(load(tmp_path / "blueprint.yaml").resolve("prod"))
    (promotion,) = [each for each in calls if each.variable == "promotion"]
    assert promotion.args["accounts"].value == ["111111111111"]
    assert promotion.args["stacks"].value == ["schedule-adherence-dev"]
