"""Risks, permissions, noise, attribution and the saved form, on hand-made steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from mlops_iac.clouds.aws.permissions import widening
from mlops_iac.engine.embedded.registration import Registration, inherited_aliases
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource
from mlops_iac.graph.diff import diff
from mlops_iac.graph.plan import PropertyChange, Step
from mlops_iac.policy.model import Finding
from mlops_iac.review.causes import attribute
from mlops_iac.review.model import Cause, Review, ReviewedStep, Risk
from mlops_iac.review.noise import noise
from mlops_iac.review.risks import risks_of
from mlops_iac.review.semantics import all_risks, plan_hash, reviewed, unknown_outputs
from mlops_iac.values import UNKNOWN, Asset, Secret

URN = "urn:pulumi:prod::churn::mlops-iac:aws:DataStore$aws:s3/bucket:Bucket::data-data"


def statement(**words: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:x/*", **words}
        ],
    }


# -- permissions

TLS = {"Bool": {"aws:SecureTransport": "false"}}
HERE = {"StringEquals": {"aws:SourceAccount": "1"}}


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ({}, {}, 0),
        ({}, {"Action": "s3:*"}, 1),
        ({"Action": "s3:*"}, {}, 0),
        ({"Action": "s3:*"}, {"Action": "s3:Get*"}, 0),
        ({"Action": "S3:getobject"}, {}, 0),
        ({}, {"Action": ["s3:GetObject", "s3:PutObject"]}, 1),
        ({}, {"Resource": "*"}, 1),
        ({"Resource": "*"}, {}, 0),
        ({"Condition": HERE}, {}, 1),
        ({}, {"Condition": HERE}, 0),
        ({"Condition": HERE}, {"Condition": {"StringEquals": {"aws:SourceAccount": "2"}}}, 1),
        (
            {"Condition": {"StringEquals": {"a:b": ["1", "2"]}}},
            {"Condition": {"StringEquals": {"a:b": "1"}}},
            0,
        ),
        (
            {"Condition": {"StringEquals": {"a:b": "1"}}},
            {"Condition": {"StringEquals": {"a:b": ["1", "2"]}}},
            1,
        ),
        (
            {"Condition": {"StringNotEquals": {"a:b": ["1", "2"]}}},
            {"Condition": {"StringNotEquals": {"a:b": ["1"]}}},
            1,
        ),
        ({"Principal": {"AWS": "arn:a"}}, {"Principal": "*"}, 1),
        ({"Principal": "*"}, {"Principal": {"AWS": "arn:a"}}, 0),
        ({"Principal": {"Service": "a"}}, {"Principal": {"Service": ["a", "b"]}}, 1),
        ({}, {"NotAction": "iam:*", "Action": None}, 1),
        ({"Resource": "arn:[a]/*"}, {"Resource": "arn:[a]/b"}, 0),
    ],
)
def test_what_a_policy_newly_allows(old: Any, new: Any, allowed: int) -> None:
    before, after = statement(**old), statement(**new)
    assert len(widening(before, after).allowed) == allowed
    assert len(widening(json.dumps(before), json.dumps(after)).allowed) == allowed


def test_a_deny_that_is_gone() -> None:
    deny = statement(Effect="Deny", Principal="*", Condition=TLS)
    found = widening(deny, statement())
    assert list(found.lifted) == ["s3:GetObject on arn:x/* for * is no longer denied"]
    assert widening(deny, deny).lifted == []


def test_anyone_and_conditions_in_words() -> None:
    found = widening(statement(Principal={"AWS": "a"}, Condition=HERE), statement(Principal="*"))
    assert found.anyone
    (words,) = widening(statement(Condition=HERE), statement()).allowed
    assert words == "s3:GetObject on arn:x/*, without the condition on aws:SourceAccount"


def test_huge_policies_are_compared_by_statement() -> None:
    many = statement(
        Action=[f"s3:A{n}" for n in range(200)], Resource=[f"arn:{n}" for n in range(50)]
    )
    assert list(widening(many, many).allowed) == []
    assert len(widening(statement(), many).allowed) == 1


# -- risks


def step(op: Any = "update", type_: str = "aws:s3/bucket:Bucket", **fields: Any) -> Step:
    return Step(op=op, urn=URN, type=type_, name="data-data", **fields)


def change(path: str, old: Any, new: Any) -> PropertyChange:
    kind: Any = "add" if old is None else "delete" if new is None else "update"
    return PropertyChange(path, kind, old, new)


SG = "aws:ec2/securityGroup:SecurityGroup"
CONFIG = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"


@pytest.mark.parametrize(
    ("made", "kinds"),
    [
        (step("delete"), ["data-loss"]),
        (step("delete", retained=True), []),
        (step("replace"), ["data-loss"]),
        (step("delete", "aws:kms/key:Key"), ["data-loss"]),
        (step("replace", "aws:sagemaker/featureGroup:FeatureGroup"), ["data-loss"]),
        (step("delete", "aws:kinesis/stream:Stream"), ["data-loss"]),
        (step("replace", "aws:sagemaker/modelPackageGroup:ModelPackageGroup"), ["data-loss"]),
        (step("replace", "aws:sagemaker/endpoint:Endpoint"), ["downtime"]),
        (
            step(
                type_="aws:sagemaker/endpoint:Endpoint",
                changes=[change("endpointConfigName", "a", "b")],
            ),
            ["downtime"],
        ),
        (
            step(
                type_="aws:sagemaker/endpoint:Endpoint",
                changes=[change("endpointConfigName", "a", "b")],
                new_inputs={"deploymentConfig": {"autoRollbackConfiguration": {"alarms": [1]}}},
            ),
            [],
        ),
        (step(changes=[change("forceDestroy", False, True)]), ["data-loss"]),
        (step(changes=[change("(options) protect", True, None)]), ["protection-removed"]),
        (step(changes=[change("retentionInDays", 365, 30)]), ["data-loss"]),
        (step(changes=[change("retentionInDays", 30, 365)]), []),
        (step(changes=[change("retentionInDays", 30, 0)]), []),
        (step(changes=[change("rules[0].expiration", None, {"days": 3})]), ["data-loss"]),
        (step(changes=[change("blockPublicPolicy", True, False)]), ["network-opening"]),
        (
            step("delete", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"),
            ["network-opening"],
        ),
        (
            step(
                type_=SG,
                changes=[change("ingress[0]", None, {"cidrBlocks": ["0.0.0.0/0"], "toPort": 22})],
            ),
            ["network-opening"],
        ),
        (step(type_=SG, changes=[change("egress[0]", None, {"cidrBlocks": ["0.0.0.0/0"]})]), []),
        (step(changes=[change("publiclyAccessible", False, True)]), ["network-opening"]),
        (step(changes=[change("vpcConfig", {"subnets": ["a"]}, None)]), ["network-opening"]),
        (step("delete", "aws:budgets/budget:Budget"), ["protection-removed"]),
        (step("delete", "aws:cloudwatch/metricAlarm:MetricAlarm"), ["protection-removed"]),
        (step(changes=[change("enableKeyRotation", True, False)]), ["protection-removed"]),
        (
            step(changes=[change("versioningConfiguration.status", "Enabled", "Suspended")]),
            ["protection-removed"],
        ),
        (step(changes=[change("kmsMasterKeyId", "k", None)]), ["protection-removed"]),
        (step(changes=[change("productionVariants[0].instanceType", "ml.m5.large", "ml.m5.xlarge")]), ["cost"]),
        (step(changes=[change("productionVariants[0].instanceType", "ml.m5.4xlarge", "ml.m5.xlarge")]), []),
        (step(changes=[change("productionVariants[0].instanceType", "ml.m5.xlarge", "ml.p3.large")]), ["cost"]),
        (step(changes=[change("maxCapacity", 4, 8)]), ["cost"]),
        (step(changes=[change("maxCapacity", 8, 4)]), []),
        (step(changes=[change("limitAmount", "300.0", "900.0")]), ["cost"]),
        (
            step("create", CONFIG, new_inputs={"productionVariants": [{"instanceType": "ml.m5.large"}]}),
            ["cost"],
        ),
        (
            step(
                type_="aws:iam/rolePolicy:RolePolicy",
                old_inputs={"policy": statement()},
                new_inputs={"policy": statement(Action="*", Resource="*")},
            ),
            ["wider-permission"],
        ),
        (
            step("create", "aws:iam/rolePolicy:RolePolicy", new_inputs={"policy": statement()}),
            [],
        ),
        (
            step(
                "create",
                "aws:iam/rolePolicy:RolePolicy",
                new_inputs={"policy": statement(Action="*", Resource="*")},
            ),
            ["wider-permission"],
        ),
        (step(changes=[change("description", "a", "b")]), []),
    ],
)  # fmt: skip
def test_risks(made: Step, kinds: list[str]) -> None:
    assert [risk.kind for risk in risks_of(made)] == kinds


def test_risks_are_told_worst_first() -> None:
    steps = reviewed(
        [step(changes=[change("maxCapacity", 4, 8)]), step("delete", "aws:kms/key:Key")], {}
    )
    assert [risk.kind for risk in all_risks(steps)] == ["data-loss", "cost"]


# -- noise


def test_noise() -> None:
    tags = step(changes=[change("tags.a", "1", "2"), change('tags["b.c"]', None, "2")])
    assert noise(tags) == "tags"
    assert noise(step(changes=[*tags.changes, change("x", 1, 2)])) == ""
    assert noise(step("replace", changes=tags.changes)) == ""
    assert noise(step(changes=[change("tagsOfMine", "1", "2")])) == ""
    packed = step(
        changes=[change("sourceHash", "a", "b"), change("key", f"c/{'a' * 12}", f"c/{'b' * 12}")]
    )
    assert noise(packed, same_content=True) == "hash"
    assert noise(packed) == "", "another digest is other content, unless we know better"


# -- what follows


def test_what_follows_and_what_is_unknown_until_then() -> None:
    config = Step("replace", "urn:c", CONFIG, "c", changes=[change("x", 1, 2)])
    reference = "${sagemaker.EndpointConfiguration/c.name}"
    endpoint = Step(
        "update", "urn:e", "aws:sagemaker/endpoint:Endpoint", "e",
        changes=[change("endpointConfigName", reference, reference)],
    )  # fmt: skip
    against_state = Step(
        "update", "urn:f", "aws:sagemaker/endpoint:Endpoint", "f",
        changes=[change("endpointConfigName", "c-1", UNKNOWN)], dependencies=["urn:c"],
    )  # fmt: skip
    _, first, second = reviewed([config, endpoint, against_state], {"urn:c": [Cause("a.b")]})
    for item in (first, second):
        assert item.follows == ("sagemaker.EndpointConfiguration/c",)
        assert [cause.kind for cause in item.causes] == ["follows"]
    outputs = {"config": reference, "region": "eu-west-1", "other": UNKNOWN, "kept": "${a.B/c.d}"}
    assert unknown_outputs(outputs, [config]) == ["config", "other"]


# -- attribution


@dataclass(frozen=True)
class Edit:
    path: str
    value: int


class Numbers:
    """A blueprint of numbers: each resource is a sum of some; `a` must not be above `b`."""

    SUMS: ClassVar = {"r1": ("a",), "r2": ("b",), "r3": ("a", "c"), "r4": ("c*d",)}

    def __init__(self) -> None:
        self.old = {"a": 1, "b": 2, "c": 3, "d": 0}
        self.captures = 0

    def check(self, edits: Sequence[Edit]) -> object:
        now = {**self.old, **{edit.path: edit.value for edit in edits}}
        if now["a"] > now["b"]:
            raise BlueprintInvalid([Diagnostic("x", "a is above b")])
        return now

    def capture(self, edits: Sequence[Edit]) -> CanonicalGraph:
        self.captures += 1
        now = self.check(edits)
        assert isinstance(now, dict)
        now["c*d"] = now["c"] * now["d"] if now["d"] > 1 and now["c"] > 3 else 0
        resources = [
            CanonicalResource(
                f"urn:{name}", "a:b/c:D", name, True, inputs={"sum": sum(now[k] for k in keys)}
            )
            for name, keys in self.SUMS.items()
        ]
        return CanonicalGraph("p", "s", tuple(resources))


def causes(edits: Sequence[Edit], most: int = 40) -> tuple[dict[str, list[str]], list[str], int]:
    world = Numbers()
    base, head = world.capture(()), world.capture(edits)
    world.captures = 0
    never = lambda _type, _path: (False, "")  # noqa: E731
    found = attribute(base, diff(base, head, never), edits, world, never, most=most)
    told = {urn: sorted(edit.path for edit in who) for urn, who in found.causes.items()}
    return told, found.notes, world.captures


def test_one_edit_needs_no_capture() -> None:
    assert causes([Edit("b", 9)]) == ({"urn:r2": ["b"]}, [], 0)


def test_edits_are_told_apart_and_may_share_a_resource() -> None:
    told, notes, captures = causes([Edit("b", 9), Edit("c", 9), Edit("a", 2)])
    assert told == {"urn:r1": ["a"], "urn:r2": ["b"], "urn:r3": ["a", "c"]}
    assert (notes, captures) == ([], 3)


def test_what_is_valid_only_together_is_applied_together() -> None:
    told, _, _ = causes([Edit("a", 5), Edit("b", 9)])
    # Without `b`, `a` is no blueprint; `b` alone explains its own resource.
    assert told == {"urn:r1": ["a", "b"], "urn:r2": ["b"], "urn:r3": ["a", "b"]}


def test_what_only_both_do_is_found_from_the_other_side() -> None:
    told, notes, _ = causes([Edit("c", 4), Edit("d", 2), Edit("b", 7)])
    assert told["urn:r4"] == ["c", "d"]
    assert told["urn:r2"] == ["b"]
    assert notes == []


def test_the_number_of_captures_is_bounded_and_said_so() -> None:
    told, notes, captures = causes([Edit("a", 2), Edit("b", 9), Edit("c", 4)], most=2)
    assert captures == 2
    assert "more than 2 captures" in notes[0]
    assert set(told) <= {"urn:r1", "urn:r2", "urn:r3"}


# -- the saved form


def review() -> Review:
    made = Step(
        "replace", URN, "aws:s3/bucket:Bucket", "data-data",
        changes=[change("dbPassword", "old-hidden", "new-hidden"), change("x", UNKNOWN, Asset("ab"))],
        old_inputs={"password": "old-hidden"}, new_inputs={"token": Secret("hidden"), "n": 1},
        old_outputs={"whatever": "hidden"}, replace_keys=["x"], dependencies=("urn:a",), protect=True,
    )  # fmt: skip
    cause = Cause("env.API_TOKEN", "blueprint.yaml", 3, "old-hidden", {"a": ["b"]})
    item = ReviewedStep(made, [cause], ("a.B/c",), [Risk("cost", "a.B/c", "more")], "")
    same = ReviewedStep(Step("same", "urn:s", "a:b/c:D", "s", new_inputs={"password": "hidden"}))
    return Review(
        "churn", "prod", "sagemaker", "embedded", "HEAD", [item, same], [Risk("cost", "a", "b")],
        ["out"], [item], [Finding("r", "mandatory", "m")], plan_hash([item]), "ab12", ["note"],
    )  # fmt: skip


def test_a_saved_review_is_the_same_again_and_holds_no_secret() -> None:
    saved = json.loads(json.dumps(review().to_json()))
    assert "hidden" not in json.dumps(saved)
    again = Review.from_json(saved)
    assert again.to_json() == saved
    assert again.steps[0].step.changes[1].old is UNKNOWN
    assert again.steps[0].step.changes[1].new == Asset("ab")
    assert again.policies == [Finding("r", "mandatory", "m")]
    assert again.changes[0].causes[0].place == "blueprint.yaml:3 env.API_TOKEN"


@pytest.mark.parametrize(
    "damage",
    [
        lambda saved: {**saved, "format": 99},
        lambda saved: {**saved, "format": "1"},
        lambda saved: {**saved, "kind": "plan"},
        lambda saved: {**saved, "stack": 3},
        lambda saved: {**saved, "steps": [{}]},
        lambda saved: {**saved, "risks": [{"kind": "cost"}]},
        lambda saved: {key: value for key, value in saved.items() if key != "sha"},
        lambda _saved: [],
        lambda _saved: None,
    ],
)
def test_a_damaged_review_is_refused(damage: Any) -> None:
    with pytest.raises(UsageError) as error:
        Review.from_json(damage(json.loads(json.dumps(review().to_json()))))
    assert error.value.hint


def test_the_hash_of_a_plan_is_that_of_its_operations() -> None:
    (item,) = review().changes
    other = ReviewedStep(step("delete"))
    assert plan_hash([item]) == plan_hash([item, ReviewedStep(step("same"))])
    assert plan_hash([item]) != plan_hash([item, other]) != plan_hash([other, item])


# -- renames


def test_children_follow_a_renamed_parent() -> None:
    """Source: pulumi pkg/resource/deploy/step_generator.go, inheritedChildAlias."""
    head = "urn:pulumi:prod::churn::"

    def child(name: str) -> list[str]:
        made = Registration(
            urn=f"{head}a:b:C$x:y/z:Z::{name}", type="x:y/z:Z", name=name, custom=True,
            parent=f"{head}a:b:C::web", inputs={}, dependencies=[], property_dependencies={},
        )  # fmt: skip
        return inherited_aliases(made, [f"{head}a:b:C::api"])

    assert child("web-endpoint") == [f"{head}a:b:C$x:y/z:Z::api-endpoint"]
    assert child("other") == [f"{head}a:b:C$x:y/z:Z::other"]


def test_references_to_a_renamed_resource_are_no_change() -> None:
    def graph(name: str, aliases: list[str]) -> CanonicalGraph:
        named = CanonicalResource(
            f"urn:{name}", "a:b/c:D", name, True, options={"aliases": aliases} if aliases else {}
        )
        user = CanonicalResource(
            "urn:user", "a:b/c:D", "user", True,
            inputs={"to": {"$json": {"x": ["${b.D/" + name + ".id}"]}}}, dependencies=(named.urn,),
        )  # fmt: skip
        return CanonicalGraph("p", "s", (named, user), {"o": "${b.D/" + name + ".id}"})

    never = lambda _type, _path: (False, "")  # noqa: E731
    steps = diff(graph("api", []), graph("web", ["urn:api"]), never)
    assert [(each.op, each.reason) for each in steps] == [("same", "was b.D/api"), ("same", "")]
    steps = diff(graph("api", []), graph("web", []), never)
    assert [each.op for each in steps] == ["create", "update", "delete"]
