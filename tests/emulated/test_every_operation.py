"""Every operation of SageMaker, and of what shows its state, as its own model in botocore has it.

Each is called with the least that is valid. It answers with what is there, in its own shape, or with an
error of the service; never with a page, a fault, or a success of what was not done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from mlops_iac.emulators.aws.validation import broken, written

# No other test's, so that there is nothing.
REGION = "ca-west-1"
_ARN = f"arn:aws:sagemaker:{REGION}:123456789012:"
# One of them keeps the pattern of each text that an operation which is done takes.
_TEXTS = (
    "a", f"{_ARN}artifact/a", f"{_ARN}model-package/a/1", f"{_ARN}model/abcdefghijkl",
    f"{_ARN}pipeline/p/execution/abcdefghijkl", "arn:aws:iam::123456789012:role/r", "s3://b/k", "1.0",
    "d-a", f"{_ARN}cluster/abcdefghijkl", "a" * 64,
)  # fmt: skip
# Operations whose success follows from nothing being there.
_LOOKS = re.compile("List|Search|QueryLineage|BatchGet|BatchDescribe")
# Moto fails on these where they lack what the service does not call required; told as a fault.
_FAULTS = {
    "events": {"DeletePartnerEventSource", "PutPartnerEvents"},
    "logs": {"PutDeliveryDestination", "PutDeliverySource", "StartQuery"},
}


def least(shape: Any, inside: tuple[str, ...] = ()) -> Any:
    """The least value of a botocore shape that is valid."""
    low = shape.metadata.get("min", 0)
    match shape.type_name:
        case "structure":
            if shape.name in inside:
                return {}
            members = shape.required_members or ([*shape.members][:1] if is_union(shape) else [])
            return {each: least(shape.members[each], (*inside, shape.name)) for each in members}
        case "list":
            return [least(shape.member, inside)] * low
        case "map":
            return {least(shape.key, inside): least(shape.value, inside)} if low else {}
        case "string":
            valid = [each for each in (*shape.enum, *_TEXTS) if not [*broken(shape, each)]]
            return valid[0] if valid else "a" * max(low, 1)
        case "boolean":
            return True
        case "blob":
            return b"a"
        case _:
            return max(low, 1)


def is_union(shape: Any) -> bool:
    return bool(getattr(shape, "is_tagged_union", False))


class Service:
    """A service of the emulated AWS, asked by boto3."""

    def __init__(self, url: str, name: str) -> None:
        config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
        session = boto3.Session("local", "local", region_name=REGION)
        self.client = session.client(name, endpoint_url=url, config=config)
        self.model = self.client.meta.service_model
        self.methods = {op: py for py, op in self.client.meta.method_to_api_mapping.items()}

    def ask(self, name: str) -> tuple[str, str]:
        """The code of an error and its words; a success has no code, and what its shape lacks."""
        operation = self.model.operation_model(name)
        given = least(operation.input_shape) if operation.input_shape else {}
        try:
            answer = getattr(self.client, self.methods[name])(**given)
        except ClientError as error:
            said, status = error.response["Error"], error.response["ResponseMetadata"]
            assert status["HTTPStatusCode"] < 500 or said["Code"] == "InternalFailure", (name, said)
            return said["Code"], said["Message"]
        answer.pop("ResponseMetadata")
        if operation.output_shape is None:
            return "", ""
        wrong = broken(operation.output_shape, answer)
        return "", "; ".join(f"{written(x.path)}: {x.words}" for x in wrong if x.rule != "min")

    def sweep(self) -> Iterator[tuple[str, str, str]]:
        """Every operation and what `ask` says of it; nothing is made before all else was asked for."""
        for name in sorted(self.model.operation_names, key=lambda each: each.startswith("Create")):
            yield name, *self.ask(name)


def test_sagemaker_does_nothing_that_it_has_not_done(moto: Any) -> None:
    service = Service(moto.url, "sagemaker")
    done = set()
    for name, code, words in service.sweep():
        known = ("UnknownOperationException", "ValidationException", "ResourceNotFound")
        assert code in (*known, ""), (name, code, words)
        assert "validation error" not in words, (name, words)  # it was not asked what is valid
        if code:
            assert words, name
        else:
            assert words == "", (name, words)
            done.add(name)
    made = {each for each in done if not _LOOKS.match(each)}
    assert made == {
        "CreateExperiment", "CreateModel", "CreateModelCard", "CreateModelPackageGroup", "CreateTrial",
        "CreateTrialComponent",
    }  # fmt: skip
    for each in made:
        assert service.ask(each.replace("Create", "Describe")) == ("", ""), each


@pytest.mark.parametrize("name", ["sagemaker-runtime", "cloudwatch", "events", "logs"])
def test_no_service_answers_with_a_fault(moto: Any, name: str) -> None:
    faults = set()
    for operation, code, words in Service(moto.url, name).sweep():
        if code == "InternalFailure":
            faults.add(operation)
        else:
            assert (code == "") == (words == ""), (operation, code, words)
    assert faults == _FAULTS.get(name, set())
