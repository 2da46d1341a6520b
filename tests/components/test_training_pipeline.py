"""The training pipeline: its code, its definition, and what must be there before it."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from mlops_iac.clouds.aws.components.alerts import Told
from mlops_iac.clouds.aws.components.training_pipeline import (
    TrainingPipeline,
    TrainingPipelineArgs,
)
from tests.components.capture import capture, names, of_type, one, types

PIPELINE = "aws:sagemaker/pipeline:Pipeline"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
DEFINITION = json.dumps(
    {
        "Steps": [{"RoleArn": "${execution_role_arn}", "Code": "${code_uri}", "Note": "${note}"}],
        "Place": ["${artifacts_bucket}", "${kms_key_arn}", "${region}"],
    }
)


def arguments(**changes: Any) -> TrainingPipelineArgs:
    return TrainingPipelineArgs(
        **{
            "role_arn": "arn:aws:iam::123456789012:role/pipeline",
            "bucket": "artifacts",
            "definition": DEFINITION,
            "values": {"execution_role_arn": "arn:role", "note": 'says "yes"\\'},
            "code": pulumi.StringAsset("print(1)"),
            "key_arn": KEY,
            "tags": {"project": "p"},
            **changes,
        }
    )


def test_it_makes_one_pipeline_and_one_object_per_archive() -> None:
    graph = capture(lambda: TrainingPipeline("adherence", arguments()))
    assert types(graph) == {"mlops-iac:aws:TrainingPipeline": 1, OBJECT: 1, PIPELINE: 1}
    component = one(graph, "mlops-iac:aws:TrainingPipeline")
    assert {each.parent for each in graph if each.custom} == {component.urn}
    assert component.outputs["pipeline_name"] == "project-stack-adherence"


def test_the_pipeline_is_named_filled_and_run_by_its_role() -> None:
    graph = capture(lambda: TrainingPipeline("adherence", arguments(parallel_steps=4)))
    inputs = one(graph, PIPELINE).inputs
    definition = json.loads(inputs["pipelineDefinition"])
    digest = sha256(b"print(1)").hexdigest()[:32]
    assert definition == {
        "Steps": [
            {
                "RoleArn": "arn:role",
                "Code": f"s3://artifacts/code/adherence/{digest}/sourcedir.tar.gz",
                "Note": 'says "yes"\\',
            }
        ],
        "Place": ["artifacts", KEY, "eu-west-1"],
    }
    assert {key: value for key, value in inputs.items() if key != "pipelineDefinition"} == {
        "pipelineName": "project-stack-adherence",
        "pipelineDisplayName": "project-stack-adherence",
        "roleArn": "arn:aws:iam::123456789012:role/pipeline",
        "parallelismConfiguration": {"maxParallelExecutionSteps": 4},
        "tags": {"project": "p"},
    }


def test_code_lies_under_its_hash_encrypted_with_the_key(tmp_path: Path) -> None:
    archive = tmp_path / "adherence.tar.gz"
    archive.write_bytes(b"packed")

    def program() -> None:
        TrainingPipeline("adherence", arguments(code=pulumi.FileAsset(str(archive))))

    inputs = one(capture(program), OBJECT).inputs
    digest = sha256(b"packed").hexdigest()
    assert inputs["key"] == f"code/adherence/{digest[:32]}/sourcedir.tar.gz"
    assert inputs["sourceHash"] == digest
    assert inputs["serverSideEncryption"] == "aws:kms"
    assert inputs["kmsKeyId"] == KEY
    assert "etag" not in inputs


def test_other_code_gets_another_key() -> None:
    keys = {
        one(
            capture(
                lambda text=text: TrainingPipeline(  # type: ignore[misc]
                    "a", arguments(code=pulumi.StringAsset(text))
                )
            ),
            OBJECT,
        ).inputs["key"]
        for text in ("print(1)", "print(2)")
    }
    assert len(keys) == 2


def test_a_placeholder_without_a_value_stops_the_program() -> None:
    with pytest.raises(Exception, match="note"):
        capture(
            lambda: TrainingPipeline(
                "adherence", arguments(values={"execution_role_arn": "arn:role"})
            )
        )


def test_a_key_that_the_definition_wants_and_nobody_has_stops_the_program() -> None:
    with pytest.raises(Exception, match="kms_key_arn"):
        capture(lambda: TrainingPipeline("adherence", arguments(key_arn=None)))


def test_a_value_without_a_placeholder_stops_the_program() -> None:
    with pytest.raises(Exception, match="no placeholder for spare"):
        capture(
            lambda: TrainingPipeline(
                "adherence",
                arguments(values={"execution_role_arn": "r", "note": "n", "spare": "s"}),
            )
        )


def test_a_definition_too_long_to_send_goes_through_s3() -> None:
    long = json.dumps({"Steps": [], "Pad": "x" * 1024 * 1024, "Code": "${code_uri}"})
    graph = capture(lambda: TrainingPipeline("adherence", arguments(definition=long, values={})))
    stored = one(graph, OBJECT, "adherence-definition").inputs
    inputs = one(graph, PIPELINE).inputs
    assert "pipelineDefinition" not in inputs
    assert inputs["pipelineDefinitionS3Location"]["bucket"] == "artifacts"
    assert inputs["pipelineDefinitionS3Location"]["objectKey"] == stored["key"]
    assert "${" not in stored["content"]
    assert stored["kmsKeyId"] == KEY


def test_a_definition_just_short_enough_is_sent_with_the_pipeline() -> None:
    short = json.dumps({"Pad": "x" * 900_000, "Code": "${code_uri}"})
    graph = capture(lambda: TrainingPipeline("adherence", arguments(definition=short, values={})))
    assert len(of_type(graph, OBJECT)) == 1
    assert "pipelineDefinition" in one(graph, PIPELINE).inputs


def test_the_pipeline_waits_for_the_policies_of_its_role() -> None:
    """P5: a role without its policies yet refuses what the pipeline asks for."""

    class Identity(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:Identity", "identity")
            role = aws.iam.Role(
                "pipeline-role",
                assume_role_policy="{}",
                opts=pulumi.ResourceOptions(parent=self),
            )
            aws.iam.RolePolicy(
                "pipeline-policy",
                role=role.name,
                policy="{}",
                opts=pulumi.ResourceOptions(parent=self),
            )

    def program() -> None:
        identity = Identity()
        TrainingPipeline("adherence", arguments(), pulumi.ResourceOptions(depends_on=[identity]))

    assert "pipeline-policy" in names(one(capture(program), PIPELINE).dependencies)


PLACED = json.dumps(
    {"Vpc": {"Subnets": ["${subnet_ids}"], "SecurityGroupIds": ["${security_group_ids}"]}}
)


def test_lists_take_the_place_of_the_text_that_stands_for_them() -> None:
    def program() -> None:
        args = arguments(
            definition=PLACED,
            values={},
            subnets=["subnet-1", pulumi.Output.from_input("subnet-2")],
            security_groups=["sg-1"],
        )
        TrainingPipeline("adherence", args)

    graph = capture(program)
    definition = json.loads(one(graph, PIPELINE).inputs["pipelineDefinition"])
    assert definition["Vpc"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"definition": PLACED, "subnets": ["subnet-1"]}, "security_group_ids have no value"),
        (
            {"definition": '{"Note": "in ${subnet_ids}"}', "subnets": ["subnet-1"]},
            "subnet_ids are lists and stand inside a text",
        ),
        ({"definition": "{}", "subnets": ["subnet-1"]}, "no placeholder for subnet_ids"),
    ],
)
def test_a_list_without_a_place_and_a_place_without_a_list_are_refused(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        capture(lambda: TrainingPipeline("adherence", arguments(values={}, **changes)))


def test_people_are_told_of_runs_that_failed_or_were_stopped() -> None:
    """Whoever started them: the rule hears of every run of this pipeline and of no other."""
    told = Told(topic_arn="arn:topic", queue_arn="arn:queue")
    graph = capture(lambda: TrainingPipeline("adherence", arguments(told=told)))
    rule = one(graph, "aws:cloudwatch/eventRule:EventRule")
    assert rule.inputs["name"] == "project-stack-adherence-runs"
    assert json.loads(rule.inputs["eventPattern"]) == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {
            "pipelineArn": [one(graph, PIPELINE).outputs["arn"]],
            "currentPipelineExecutionStatus": ["Failed", "Stopped"],
        },
    }
    target = one(graph, "aws:cloudwatch/eventTarget:EventTarget").inputs
    assert (target["arn"], target["deadLetterConfig"]) == ("arn:topic", {"arn": "arn:queue"})
    message = target["inputTransformer"]["inputTemplate"]
    assert set(re.findall(r"<(\w+)>", message)) == set(target["inputTransformer"]["inputPaths"])
