"""The function that copies what is registered to where no step writes."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker.deployer_actions import ALARMS, FUNCTIONS, OBJECTS
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call, function
from mlops_iac.clouds.base import ComponentCall, Ref, Setting

SEALING = "sealing"
TRAINS = "training.trained_here"
COMPARED = "training.compared"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    yield call(
        SEALING,
        "sealing:Sealing",
        {
            "bucket": Ref("data", "artifacts.bucket"),
            "bucket_arn": Ref("data", "artifacts.arn"),
            "handler": function("seal"),
            "key_arn": scope.data_key,
            "log_key_arn": scope.log_key,
            "role_arn": scope.existing_role("seal"),
            "compared": _compared(scope),
            "pipeline_role_arn": scope.existing_role("pipeline"),
            "topic_arn": scope.topic,
            "permissions_boundary": scope.permissions_boundary,
            "tags": scope.tags,
        },
        path="",
        depends_on=("data",),
        flag=TRAINS,
    )


def _compared(scope: Scope) -> Setting | None:
    """The models whose new versions are compared with the one in service; none said where none ever is."""

    def compared(of: Scope) -> list[str]:
        return [
            of.known_as("models", name)
            for name in of.trained
            if (evaluate := of.blueprint.models[name].evaluate)
            and any(gate.no_worse_than for gate in evaluate.gates.values())
        ]

    if not any(compared(Scope(other)) for other in scope.resolved.siblings.values()):
        return None
    return Setting(compared(scope), COMPARED)


SEALER = Part(
    there=lambda scope: scope.trained,
    plan=_plan,
    names=lambda scope: [(SEALING, "")] if scope.trained else [],
    tagged=("s3.PutObjectTagging", "lambda.CreateFunction", "logs.CreateLogGroup"),
    deployed=Deployed(actions={"Sealing": (*FUNCTIONS, *OBJECTS, *ALARMS)}, passed_to=("lambda",)),
    settings={
        TRAINS: "whether any model is trained here: then a function seals what is registered",
        COMPARED: "the models whose new versions must be no worse than the one in service",
    },
)
