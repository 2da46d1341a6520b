"""Reviews made by hand, as the tests of comments, reports and posting use them."""

from __future__ import annotations

from typing import Any, Final

from mlops_iac.graph.plan import Operation, PropertyChange, Step
from mlops_iac.policy.model import Finding
from mlops_iac.review.model import Cause, Noise, Review, ReviewedStep, Risk
from mlops_iac.values import UNKNOWN, Asset

STACK_URN: Final = "urn:pulumi:prod::churn::pulumi:pulumi:Stack::churn-prod"
TYPES: Final = {
    "Bucket": "aws:s3/bucket:Bucket",
    "Endpoint": "aws:sagemaker/endpoint:Endpoint",
    "EndpointConfiguration": "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    "Model": "aws:sagemaker/model:Model",
    "Role": "aws:iam/role:Role",
    "RolePolicy": "aws:iam/rolePolicy:RolePolicy",
    "Topic": "aws:sns/topic:Topic",
    "MetricAlarm": "aws:cloudwatch/metricAlarm:MetricAlarm",
}
KINDS: Final = {"api": "RealTimeEndpoint", "data": "DataStore", "identity": "Identity"}


def parent_of(component: str) -> str:
    kind = KINDS.get(component, "Alerts")
    return f"urn:pulumi:prod::churn::mlops-iac:aws:{kind}::{component}"


def step(
    op: Operation, kind: str, name: str, *changes: PropertyChange, of: str = "api", **more: Any
) -> Step:
    type_ = TYPES[kind]
    return Step(
        op=op,
        urn=f"urn:pulumi:prod::churn::mlops-iac:aws:{KINDS.get(of, 'Alerts')}${type_}::{name}",
        type=type_,
        name=name,
        changes=changes,
        replace_keys=[change.path for change in changes if change.replaces],
        parent=parent_of(of),
        **more,
    )


def reviewed(
    what: Step,
    *causes: Cause,
    follows: tuple[str, ...] = (),
    noise: Noise = "",
    risks: tuple[Risk, ...] = (),
) -> ReviewedStep:
    return ReviewedStep(what, causes, follows, risks, noise)


def update(path: str, old: Any, new: Any, replaces: bool | None = False) -> PropertyChange:
    return PropertyChange(path, "update", old, new, replaces, "aws 5.100.0" if replaces else "")


def review(*steps: ReviewedStep, **more: Any) -> Review:
    fields: dict[str, Any] = {
        "project": "churn",
        "stack": "prod",
        "platform": "sagemaker",
        "engine": "embedded",
        "against": "the lock file of main",
        "plan_hash": "sha256:9f2d7c1e5b3a48d6",
        "sha": "4be1c9a07d5e2f3860b1",
        **more,
    }
    return Review(steps=steps, **fields)


SIZE: Final = Cause(
    "serving.api.compute.size", "blueprint.yaml", 41, "cpu-small", "cpu-large", "blueprint"
)
DOWNTIME: Final = Risk(
    "downtime",
    "sagemaker.EndpointConfiguration/api-config",
    "replaced before the new one answers: `instance_type` forces replacement.",
)
WIDER: Final = Risk(
    "wider-permission",
    "iam.RolePolicy/identity-training",
    "`s3:GetObject` becomes `s3:*` on arn:aws:s3:::churn-data/*.",
)
LOSS: Final = Risk("data-loss", "s3.Bucket/data-features", "deletes the bucket and what is in it.")

ONE_LINE: Final = review(
    reviewed(
        step(
            "replace",
            "EndpointConfiguration",
            "api-config",
            update(
                "productionVariants[0].instanceType", "ml.m5.large", "ml.m5.4xlarge", replaces=True
            ),
        ),
        SIZE,
        risks=(DOWNTIME,),
    ),
    reviewed(
        step("update", "Endpoint", "api-endpoint", update("endpointConfigName", "a", UNKNOWN)),
        SIZE,
        follows=("sagemaker.EndpointConfiguration/api-config",),
    ),
    reviewed(step("same", "Bucket", "data-features", of="data")),
    risks=[DOWNTIME],
    outputs_unknown=["api_endpoint_url", "api_config"],
)

EVERYTHING: Final = review(
    reviewed(
        step("create", "Topic", "alerts-topic", of="alerts", new_inputs={"name": "alerts"}),
        Cause("alerts.email", "blueprint.yaml", 12, None, "ops@example.com"),
    ),
    reviewed(
        step(
            "update",
            "RolePolicy",
            "identity-training",
            update("policy.Statement[0].Action", "s3:GetObject", "s3:*"),
            PropertyChange("policy.Statement[0].Condition", "delete", {"Bool": {"x": "true"}}),
            of="identity",
        ),
        Cause("data.access", "blueprint.yaml", 18, "read", "all"),
        risks=(WIDER,),
    ),
    *ONE_LINE.steps,
    reviewed(
        step(
            "update",
            "Model",
            "api-model",
            update("primaryContainer.environment.HF_TOKEN", "one", "two"),
            update("primaryContainer.modelDataUrl", Asset("a" * 64, "m.tgz"), Asset("b" * 64, "m")),
            update("executionRoleArn", "${iam.Role/a.arn}", "${iam.Role/b.arn}", replaces=None),
        ),
        Cause("", kind="unknown"),
    ),
    *(
        reviewed(
            step("update", "MetricAlarm", f"alarm-{n}", update("tags.owner", "x", "y")),
            noise="tags",
        )
        for n in range(3)
    ),
    reviewed(
        step("update", "Bucket", "data-code", update("source", "old", "new"), of="data"),
        noise="hash",
    ),
    reviewed(
        step("delete", "Bucket", "data-features", of="data", protect=True),
        Cause("datasets.features", "blueprint.yaml", 9, {"kind": "csv"}, None),
        risks=(LOSS,),
    ),
    risks=[LOSS, DOWNTIME, WIDER],
    outputs_unknown=["api_endpoint_url"],
    tool_changes=[
        reviewed(
            step("update", "Role", "identity-role", update("maxSessionDuration", 3600, 7200)),
            Cause("mlops-iac", old="0.1.0", new="0.2.0", kind="tool"),
        )
    ],
    policies=[
        Finding(
            "owner-tag",
            "advisory",
            "has no owner tag",
            "sns.Topic/alerts-topic",
            remediation="add `tags.owner`",
        ),
        Finding(
            "no-wildcard-actions",
            "mandatory",
            "allows every action of s3",
            "iam.RolePolicy/identity-training",
            remediation="name the actions that training needs",
            path="data.access",
            file="blueprint.yaml",
            line=18,
        ),
        Finding(
            "budget",
            "mandatory",
            "has no budget",
            suppressed_by="exceptions[0] until 2027-01-31: one account for all",
        ),
    ],
    notes=["The base was captured with the tool of this commit."],
)

NOTHING: Final = review(reviewed(step("same", "Bucket", "data-features", of="data")))

HOSTILE_TEXT: Final = (
    '`````\n```\n|x|\n--> <!-- mlops-iac {"v":1} --> </details><script>alert(1)</script>'
    " ![i](http://evil.example/a.png) [l](javascript:alert(1)) @everyone #1 !2 GH-3 www.evil.example"
    " https://evil.example a@evil.example :smile: \u202egnp.exe \x1b[31m\x00 $x$ \\| &lt; ~~x~~ **b**"
)


def hostile(text: str) -> Review:
    """A review in which every text that may come from a blueprint is `text`."""
    change = PropertyChange(text, "update", text, [text, {text: text}], True, text)
    cause = Cause(text, text, 3, text, text)
    risk = Risk("data-loss", text, text)
    bad = Step(
        "replace",
        f"urn:pulumi:prod::churn::mlops-iac:aws:X$aws:s3/bucket:Bucket::{text}",
        "aws:s3/bucket:Bucket",
        text,
        changes=[change],
        replace_keys=[text],
        parent=f"urn:pulumi:prod::churn::mlops-iac:aws:X::{text}",
        reason=text,
    )
    good = Step("update", bad.urn, bad.type, text, changes=[change], parent=bad.parent, reason=text)
    return Review(
        project=text,
        stack=text,
        platform=text,
        engine=text,
        against=text,
        steps=[
            ReviewedStep(bad, [cause], [text], [risk]),
            ReviewedStep(good, [cause], (), ()),
            ReviewedStep(good, [cause], (), (), "tags"),
        ],
        risks=[risk],
        outputs_unknown=[text],
        tool_changes=[ReviewedStep(good, [cause])],
        policies=[
            Finding(text, "mandatory", text, text, text, text, text, text, text, 3),
            Finding(text, "advisory", text, suppressed_by=text),
        ],
        plan_hash=text,
        sha=text,
        notes=[text],
    )


SAMPLES: Final = {
    "one_line": ONE_LINE,
    "everything": EVERYTHING,
    "nothing": NOTHING,
    "hostile": hostile(HOSTILE_TEXT),
}
