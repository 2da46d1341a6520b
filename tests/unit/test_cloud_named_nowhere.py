"""No cloud is named outside its own rooms: the registry, `clouds/<cloud>`, `emulators/<cloud>`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import mlops_iac
from mlops_iac.clouds.registry import clouds

SOURCE = Path(mlops_iac.__file__).parent
# Clouds and their services, SDKs, identifiers, accounts, regions and machines. A word ends where the
# next one begins: `pulumi_aws`, `AwsProvider` and `s3://` name one, `draws` does not.
NAMES = re.compile(
    r"(?<![A-Za-z])(?i:aws|amazon|sagemaker|boto|boto3|botocore|moto|arns?|s3|iam|kms|awskms|sns|sqs"
    r"|cloudwatch|azure|azurekeyvault|azblob|abfss|vertex|gcp|gcpkms|gcloud|google)(?![a-z0-9])"
    r"|secretsmanager|Secrets Manager|\bLambda\b"
    r"|(?<!\d)\d{12}(?!\d)"
    r"|\bml\.[a-z]+\d"
    r"|\b[a-z]{2}-(?:west|east|north|south|central)[a-z]*-\d"
)
# What bears a cloud's name and is none: a host of repositories, and the library of a wire format.
HOSTS = re.compile(r"(?i)azure[-_/ ]?(?:devops|pipelines)|azure-\{\}|\"azure\"|google[./]protobuf")

# Files that name clouds for good, by what they may say.
EXCEPTIONS: Mapping[str, tuple[str, str]] = {
    "blueprint/checks/contents.py": (r"s3://", "the language's own kinds of sources"),
    "blueprint/checks/texts.py": (r"_SCHEMES = ", "the language's own kinds of sources"),
    "blueprint/sections/datasets.py": (r"://`", "the language's own kinds of sources"),
    "blueprint/sections/platform.py": (r"://", "examples of what Pulumi's own options take"),
    "blueprint/checks/platform.py": (r"_(BACKENDS|SECRETS) = ", "what Pulumi's own options take"),
    "blueprint/sections/root.py": (
        r"AWS account, ",
        "what the language calls an account, for each",
    ),
    "blueprint/leaving.py": (r"\"credentials of ", "tools that keep credentials on any machine"),
    "cli/_output.py": (r"Azure", "a CI system"),
    "cli/ci.py": (r"Azure", "a CI system"),
    "graph/redact.py": (r"\"(arns?|kms)\"", "words in the names of properties, whatever cloud"),
    "policy/rules/allowed_instances.py": (r"source=", "the standard that asks for the rule"),
    "policy/rules/allowed_regions.py": (r"source=", "the standard that asks for the rule"),
    "policy/rules/cost_tag.py": (r"source=", "the standard that asks for the rule"),
    "policy/rules/owner_tag.py": (r"source=", "the standard that asks for the rule"),
    "runtime/step.py": (r"startswith", "what a service adds to a job's hyperparameters"),
    "policy/rules/plain_secrets.py": (r"(source|remediation)=", "the standard that asks for it"),
}


def named(text: str, allowed: str = "") -> list[str]:
    """The lines of a text that name a cloud, but for those in which `allowed` is found."""
    return [
        line.strip()
        for line in text.splitlines()
        if NAMES.search(HOSTS.sub("", line)) and not (allowed and re.search(allowed, line))
    ]


def outside() -> Mapping[str, Path]:
    """The source files that are in no cloud's room."""
    folders = [each for room in ("clouds", "emulators") for each in (SOURCE / room).iterdir()]
    # Those of clouds that are not listed yet, too.
    rooms = tuple(
        f"{each.relative_to(SOURCE).as_posix()}/"
        for each in folders
        if each.is_dir() and each.name != "common"
    )
    assert {f"clouds/{each.name}/" for each in clouds()} <= set(rooms)
    # What `init` writes is a workload, not ours.
    elsewhere = (*rooms, "clouds/registry.py", "scaffold/template/")
    found = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    return {name: path for name, path in found.items() if not name.startswith(elsewhere)}


def test_no_cloud_is_named_outside_its_rooms() -> None:
    told = {
        name: lines
        for name, path in outside().items()
        if (lines := named(path.read_text(encoding="utf-8"), EXCEPTIONS.get(name, ("", ""))[0]))
    }
    assert told == {}


def test_every_exception_is_needed() -> None:
    found = outside()
    for name, (allowed, reason) in EXCEPTIONS.items():
        assert reason
        text = found[name].read_text(encoding="utf-8")
        assert len(named(text, allowed)) < len(named(text)), name


def test_names_are_found() -> None:
    for line in (
        "import pulumi_aws",
        "class AwsProvider:",
        'BUCKET = "aws:s3/bucket:Bucket"',
        "account = 123456789012",
        '"arn:{partition}:iam"',
        "from azure.identity import x",
        "azure_native, gcp",
        "region: eu-west-1",
        "ml.m5.large",
    ):
        assert named(line), line
    for line in ("it draws laws", "noqa: S311", "azure-devops", "from google.protobuf import x"):
        assert not named(line), line
