"""The lazy packages of the SDK give the same objects as the plain ones."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

AZURE = ["containerregistry", "keyvault", "resources"]
SERVICES = [
    "appautoscaling",
    "budgets",
    "cloudwatch",
    "ec2",
    "ecr",
    "iam",
    "kms",
    "lambda_",
    "s3",
    "sagemaker",
    "scheduler",
    "sfn",
    "sns",
    "sqs",
    "ssm",
]

LIST = """
import json, sys, types
if sys.argv[1] == "lazy":
    from mlops_iac.engine.embedded import lazy_sdk
    lazy_sdk.install()
import importlib
found = {}
for service in sys.argv[3:]:
    package = importlib.import_module(sys.argv[2] + "." + service)
    getattr(package, 'outputs', None)  # the SDK's own laziness ends here
    for name in dir(package):
        if name.startswith("__") or name == "_lazy":
            continue
        value = getattr(package, name)
        where = value.__name__ if isinstance(value, types.ModuleType) else [
            str(getattr(value, "__module__", "")), str(getattr(value, "__qualname__", value))]
        found[service + "." + name] = where
print(json.dumps(found))
"""


def listed(how: str, sdk: str, services: list[str]) -> dict[str, object]:
    words = [sys.executable, "-c", LIST, how, sdk, *services]
    out = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


@pytest.mark.parametrize(
    ("sdk", "services", "least"),
    [("pulumi_aws", SERVICES, 3000), ("pulumi_azure_native", AZURE, 600)],
)
def test_every_public_name_is_the_same_object(sdk: str, services: list[str], least: int) -> None:
    pytest.importorskip(sdk)
    plain, lazy = listed("plain", sdk, services), listed("lazy", sdk, services)
    assert len(plain) > least
    assert lazy == plain


def run(code: str) -> str:
    head = "from mlops_iac.engine.embedded import lazy_sdk; lazy_sdk.install()\n"
    done = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_one_class_loads_one_module() -> None:
    code = """
import sys
from pulumi_aws import s3
import pulumi_aws as aws
assert aws.s3 is s3
args = s3.BucketArgs(tags={"a": "b"})
assert isinstance(args, aws.s3.bucket.BucketArgs)
assert aws.s3.get_bucket.__name__ == "get_bucket"
print(len([m for m in sys.modules if m.startswith("pulumi_aws.s3.")]))
"""
    assert int(run(code)) <= 6


def test_a_star_import_and_an_unknown_name() -> None:
    code = """
from pulumi_aws.sns import *
from pulumi_aws import sns
assert Topic is sns.Topic and get_topic is sns.get_topic
try:
    sns.Nothing
except AttributeError as error:
    print(error)
"""
    assert run(code) == "module 'pulumi_aws.sns' has no attribute 'Nothing'"
