"""Two oracles judge the printed pipeline: the official definition schema, and botocore's shapes.

The schema lags the service; the gaps it is known for are closed by name, and each closing is shown
to be needed and to admit nothing else.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.blueprint import load
from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings
from mlops_iac.clouds.aws.sagemaker.definition.printer import definition, fill, placeholders
from mlops_iac.pipeline.lifecycle import lifecycle
from mlops_iac.pipeline.steps import Lifecycle, Limit, Range, Train, Tune
from mlops_iac.records import replace
from tests.oracles.pipeline_graph import all_steps, problems

ROOT = Path(__file__).parents[2]
ORACLES = Path(os.environ.get("MLOPS_IAC_ORACLES", ROOT.parent / "shared" / "oracles"))
SCHEMA = ORACLES / "sagemaker-pipeline-definition.schema.json"
STEPS = ("prepare", "train", "evaluate", "try", "serve")
SETTINGS = SageMakerSettings(
    images=dict.fromkeys(
        STEPS, "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0"
    ),
    instance_types=dict.fromkeys(STEPS, "ml.m5.xlarge"),
    tags={"project": "schedule-adherence"},
)
VALUES = {
    "artifacts_bucket": "artifacts-123",
    "code_uri": "s3://artifacts-123/code/adherence/abc/sourcedir.tar.gz",
    "dataset_uri_schedules": "s3://data-123/datasets/schedules/",
    "execution_role_arn": "arn:aws:iam::123456789012:role/execution",
    "kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "model_package_group_name": "adherence",
    "region": "eu-west-1",
    "seal_function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:sealing-1a2b3c4",
}  # fmt: skip


def example() -> Lifecycle:
    blueprint = load(ROOT / "examples/schedule-adherence/blueprint.yaml")
    return lifecycle(blueprint.resolve("local"), "adherence")


def variants() -> dict[str, Lifecycle]:
    """Lifecycles that between them print everything the printer can print."""
    life = example()
    train = Train(script="train.py", checkpoints=True)
    search = {
        "kind": Range("values", values=("a", "b")),
        "depth": Range("integer", low="2", high="9", scale="linear"),
        "c": Range("continuous", low="0.1", high="9", scale="logarithmic"),
    }
    tune = Tune(
        train=train, strategy="bayesian", metric="accuracy", goal="maximize",
        trials=4, parallel=2, search=search,
    )  # fmt: skip
    grid = replace(tune, strategy="grid", trials=2, search={"kind": search["kind"]})
    return {
        "example": life,
        "no-prepare": replace(life, prepare=None),
        "no-gates": replace(life, gates=()),
        "compared": replace(life, gates=(*life.gates, Limit("accuracy", "at_least", "current"))),
        "tuned": replace(life, training=tune),
        "grid": replace(life, training=grid),
        "hyperband": replace(life, training=replace(tune, strategy="hyperband")),
    }


def printed(life: Lifecycle) -> dict[str, Any]:
    settings = replace(SETTINGS, subnets=("subnet-0a1b2c3d",), security_groups=("sg-0a1b2c3d",))
    loaded: dict[str, Any] = json.loads(fill(definition(life, settings)[0], VALUES))
    return loaded


@pytest.fixture(params=list(variants()))
def good(request: pytest.FixtureRequest) -> dict[str, Any]:
    return printed(variants()[request.param])


# The official schema ---------------------------------------------------------------------------


def _join(schema: dict[str, Any]) -> None:
    part = {"anyOf": [{"$ref": "#/definitions/StringArgumentValue"}, {"type": "number"}]}
    join = {
        "type": "object",
        "properties": {"On": {"type": "string"}, "Values": {"type": "array", "items": part}},
        "required": ["Values"],
        "additionalProperties": False,
    }
    schema["definitions"]["StringArgumentValue"]["oneOf"].append(
        {
            "type": "object",
            "properties": {"Std:Join": join},
            "required": ["Std:Join"],
            "additionalProperties": False,
        }
    )


def _json_get(schema: dict[str, Any]) -> None:
    get = {
        "type": "object",
        "properties": {
            "PropertyFile": {"$ref": "#/definitions/GetFunction"},
            "Path": {"type": "string"},
        },
        "required": ["PropertyFile", "Path"],
        "additionalProperties": False,
    }
    for side in ("LeftValue", "RightValue"):
        schema["definitions"]["BinaryCondition"]["properties"][side]["anyOf"].append(
            {
                "type": "object",
                "properties": {"Std:JsonGet": get},
                "required": ["Std:JsonGet"],
                "additionalProperties": False,
            }
        )


def _property_files(schema: dict[str, Any]) -> None:
    names = ("PropertyFileName", "OutputName", "FilePath")
    schema["definitions"]["ProcessingStep"]["properties"]["PropertyFiles"] = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": list(names),
            "additionalProperties": False,
        },
    }


def _environment(schema: dict[str, Any]) -> None:
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    found = schema["definitions"]
    training = found["TrainingStep"]["properties"]["Arguments"]["properties"]
    training["Environment"] = texts
    found["HyperParameterTrainingJobDefinition"]["properties"]["Environment"] = texts
    register = found["RegisterModelStep"]["properties"]["Arguments"]["properties"]
    containers = register["InferenceSpecification"]["properties"]["Containers"]
    containers["items"]["properties"]["Environment"] = texts


def _strategies(schema: dict[str, Any]) -> None:
    arguments = schema["definitions"]["TuningStep"]["properties"]["Arguments"]["properties"]
    config = arguments["HyperParameterTuningJobConfig"]["properties"]
    config["Strategy"]["enum"] += ["Grid", "Hyperband"]


def _exceptions(schema: dict[str, Any]) -> None:
    # SageMaker developer guide, "Retry Policy for Pipeline Steps": an array; so says the SDK.
    kinds = schema["definitions"]["RetryPolicy"]["properties"]
    kinds["ExceptionType"] = {"type": "array", "items": kinds["ExceptionType"], "minItems": 1}


def _approval(schema: dict[str, Any]) -> None:
    register = schema["definitions"]["RegisterModelStep"]["properties"]["Arguments"]["properties"]
    register["ModelApprovalStatus"] = {"enum": ["Approved", "Rejected", "PendingManualApproval"]}


def _metadata(schema: dict[str, Any]) -> None:
    # SageMaker SDK, `RegisterModel(customer_metadata_properties=…)`: texts or references.
    register = schema["definitions"]["RegisterModelStep"]["properties"]["Arguments"]["properties"]
    register["CustomerMetadataProperties"] = {
        "type": "object",
        "additionalProperties": {"$ref": "#/definitions/StringArgumentValue"},
    }


GAPS: dict[str, Callable[[dict[str, Any]], None]] = {
    "Std:Join in arguments": _join,
    "Std:JsonGet": _json_get,
    "PropertyFiles": _property_files,
    "ModelApprovalStatus": _approval,
    "CustomerMetadataProperties": _metadata,
    "Environment": _environment,
    "strategies Grid and Hyperband": _strategies,
    "several exceptions of a retry": _exceptions,
}


def errors(definition_: dict[str, Any], *, without: str = "") -> list[str]:
    """What the schema says, with the known gaps closed (all but `without`)."""
    from jsonschema import Draft7Validator

    if not SCHEMA.exists():
        pytest.skip(f"no {SCHEMA.name} in {ORACLES}; MLOPS_IAC_ORACLES says where it is")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for name, close in GAPS.items():
        if name != without:
            close(schema)
    return [error.message for error in Draft7Validator(schema).iter_errors(definition_)]


def test_the_official_schema_accepts(good: dict[str, Any]) -> None:
    assert errors(good) == []


@pytest.mark.parametrize("gap", list(GAPS))
def test_each_known_gap_is_still_one(gap: str) -> None:
    # When the schema learns one of these, this fails and the closing can go.
    assert any(errors(printed(life), without=gap) for life in variants().values())


def _step(definition_: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        dict_ for dict_, _ in all_steps(definition_) if dict_["Name"] == name
    )  # type: ignore[assignment]
    return found


DEFECTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a version that does not exist": lambda d: d.update(Version="2021-01-01"),
    "an unknown kind of step": lambda d: _step(d, "Train").update(Type="Trainng"),
    "a misspelt key of a step": lambda d: _step(d, "Train").update(DependOn=["Prepare"]),
    "a misspelt argument": lambda d: _step(d, "Train")["Arguments"].update(Rolearn="x"),
    "a name with a space": lambda d: _step(d, "Prepare").update(Name="Prepare data"),
    "a count as text": lambda d: _step(d, "Prepare")["Arguments"]["ProcessingResources"][
        "ClusterConfig"
    ].update(InstanceCount="1"),
    "a comparison that does not exist": lambda d: _step(d, "Gate")["Arguments"]["Conditions"][0].update(
        Type="AtLeast"
    ),
    "a number as hyperparameter": lambda d: _step(d, "Train")["Arguments"]["HyperParameters"].update(cv_folds=5),
    "a join without values": lambda d: _step(d, "Evaluate")["Arguments"]["ProcessingOutputConfig"]["Outputs"][0][
        "S3Output"
    ].update(S3Uri={"Std:Join": {"On": "/"}}),
    "a property file without its output": lambda d: _step(d, "Evaluate")["PropertyFiles"][0].pop("OutputName"),
    "a step without arguments": lambda d: _step(d, "Train").pop("Arguments"),
}  # fmt: skip


@pytest.mark.parametrize("defect", list(DEFECTS))
def test_the_official_schema_rejects(defect: str) -> None:
    seeded = copy.deepcopy(printed(example()))
    assert errors(seeded) == []
    DEFECTS[defect](seeded)
    assert errors(seeded), defect


# botocore's request shapes ---------------------------------------------------------------------

OPERATIONS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "job"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "job"}),
    "Transform": ("CreateTransformJob", {"TransformJobName": "job"}),
    "Tuning": ("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "job"}),
    "RegisterModel": ("CreateModelPackage", {}),
}


def resolved(value: Any) -> Any:
    """Arguments as the service would resolve them: references become texts of the right kind."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            name = value["Get"]
            return (
                "s3://bucket/key"
                if name.endswith(
                    ("S3Uri", "S3ModelArtifacts", "S3OutputPath", "['uri']", "['input']")
                )
                else "abcdef123456"
            )
        if set(value) == {"Std:Join"}:
            return value["Std:Join"]["On"].join(map(str, resolved(value["Std:Join"]["Values"])))
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item) for item in value]
    return value


def shape_problems(operation: str, arguments: dict[str, Any]) -> list[str]:
    """What botocore's validator says, and what its model says and its validator does not ask."""
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    model = get_session().get_service_model("sagemaker")
    shape = model.operation_model(operation).input_shape
    report = ParamValidator().validate(arguments, shape).generate_report()
    return [*filter(None, report.split("\n")), *_beyond(shape, arguments, operation)]


def _beyond(shape: Any, value: Any, at: str) -> Iterator[str]:
    """enum, pattern and maximum, which botocore's model carries and its validator leaves out."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for key, item in value.items():
            if key in shape.members:
                yield from _beyond(shape.members[key], item, f"{at}.{key}")
        return
    limits = shape.metadata
    size = value if isinstance(value, (int, float)) else len(value)
    if "max" in limits and size > limits["max"]:
        yield f"{at}: {size} is above {limits['max']}"
    if shape.type_name == "list":
        for number, item in enumerate(value):
            yield from _beyond(shape.member, item, f"{at}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _beyond(shape.key, key, f"{at}.{key}")
            yield from _beyond(shape.value, item, f"{at}.{key}")
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{at}: {value!r} is not one of its values"
        # Unicode classes of Java, near enough for what is printed here.
        pattern = limits.get("pattern", "").replace(r"\p{L}", "A-Za-z").replace(r"\p{Z}", " ")
        # botocore writes some with how often at the end once more, behind the end.
        pattern = re.sub(r"\$\{1,\d+\}$", "", pattern.replace(r"\p{N}", "0-9"))
        if pattern and not re.fullmatch(pattern, value):
            yield f"{at}: {value!r} does not match {pattern}"


def test_the_graph_holds_together(good: dict[str, Any]) -> None:
    assert problems(good) == []


def job_problems(definition_: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for step, _ in all_steps(definition_):
        if step["Type"] in OPERATIONS:
            operation, extra = OPERATIONS[step["Type"]]
            found += shape_problems(operation, {**resolved(step["Arguments"]), **extra})
    return found


def test_every_jobs_arguments_are_a_request_that_botocore_accepts(good: dict[str, Any]) -> None:
    assert job_problems(good) == []


SHAPE_DEFECTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an instance type that does not exist": (
        lambda d: _step(d, "Train")["Arguments"]["ResourceConfig"].update(InstanceType="ml.m5.huge"),
        "InstanceType",
    ),
    "no role": (lambda d: _step(d, "Prepare")["Arguments"].pop("RoleArn"), "RoleArn"),
    "a role that is no ARN": (
        lambda d: _step(d, "Train")["Arguments"].update(RoleArn="execution"), "RoleArn",
    ),
    "a training without output": (
        lambda d: _step(d, "Train")["Arguments"].pop("OutputDataConfig"), "OutputDataConfig",
    ),
    "a processing job of ten days": (
        lambda d: _step(d, "Prepare")["Arguments"]["StoppingCondition"].update(MaxRuntimeInSeconds=864000),
        "MaxRuntimeInSeconds",
    ),
    "an environment value too long": (
        lambda d: _step(d, "Prepare")["Arguments"]["Environment"].update(LONG="x" * 300),
        "LONG",
    ),
    "an approval that does not exist": (
        lambda d: _step(d, "Register")["Arguments"].update(ModelApprovalStatus="Pending"),
        "ModelApprovalStatus",
    ),
    "an unknown argument": (
        lambda d: _step(d, "Evaluate")["Arguments"].update(Retries=3), "Retries",
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", list(SHAPE_DEFECTS))
def test_botocores_shapes_reject(defect: str) -> None:
    seeded = copy.deepcopy(printed(example()))
    change, named = SHAPE_DEFECTS[defect]
    change(seeded)
    assert any(named in problem for problem in job_problems(seeded)), job_problems(seeded)


def test_every_placeholder_of_the_example_is_known() -> None:
    assert definition(example(), SETTINGS)[1] == set(VALUES)
    assert placeholders(json.dumps(printed(example()))) == frozenset()


def test_the_definition_fits_inline() -> None:
    # CreatePipeline takes 1 MiB inline (botocore: PipelineDefinition, max).
    assert len(definition(example(), SETTINGS)[0].encode()) < 64 * 1024
