"""In production, somebody is told when a training fails."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import EVENT_RULE, EVENT_TARGET, PIPELINE
from mlops_iac.graph.redact import parse_document
from mlops_iac.policy.context import Context, is_known, items, texts
from mlops_iac.policy.model import Rule, Violation

_EVENT = "SageMaker Model Building Pipeline Execution Status Change"


def check(context: Context) -> Iterator[Violation]:
    """Find pipelines whose failed runs no rule tells of."""
    rules = [
        rule
        for rule in context.of_type(EVENT_RULE)
        if context.pointing((EVENT_TARGET,), "rule", rule)
    ]
    patterns = [rule.inputs.get("eventPattern") for rule in rules]
    if not all(map(is_known, patterns)):
        return
    told = [parse_document(text) or {} for text in patterns if isinstance(text, str)]
    told = [each for each in told if _EVENT in items(each.get("detail-type"))]
    for pipeline in context.of_type(PIPELINE):
        if not any(_hears_of(context, each.get("detail") or {}, pipeline) for each in told):
            yield Violation("nobody is told when one of its runs fails", pipeline)


def _hears_of(context: Context, detail: dict[str, object], pipeline: object) -> bool:
    states = items(detail.get("currentPipelineExecutionStatus"))
    of = list(texts(detail.get("pipelineArn")))
    named = not of or any(context.is_name_of(text, pipeline) for text in of)  # type: ignore[arg-type]
    return named and (not states or "Failed" in states)


RULE = Rule(
    id="pipeline-failures",
    title="Somebody is told when a production training fails",
    severity="advisory",
    why="A training that fails every Monday is found out when the model is a quarter old.",
    remediation="write `alerts:`; where the pipeline is your own, give it an EventBridge rule",
    source="SageMaker developer guide, https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html",
    check=check,
    production=True,
)
