"""Volumes of endpoints are encrypted with a key of our own."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.components._disks import has_local_disk
from mlops_iac.clouds.aws.types import ENDPOINT_CONFIGURATION
from mlops_iac.policy.context import Context, at, is_set, items
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find configurations without a key, unless every machine's disk encrypts itself."""
    for each in context.of_type(ENDPOINT_CONFIGURATION):
        variants = items(each.inputs.get("productionVariants"))
        types = [at(variant, "instanceType") for variant in variants]
        # A serverless variant has no volume.
        volumes = [
            kind
            for kind, variant in zip(types, variants, strict=True)
            if not is_set(at(variant, "serverlessConfig"))
            and not (isinstance(kind, str) and has_local_disk(kind))
        ]
        if volumes and not is_set(each.inputs.get("kmsKeyArn")):
            message = "volumes of the endpoint are not encrypted with a key of your own"
            yield Violation(message, each, "security.keys")


RULE = Rule(
    id="endpoint-encryption",
    title="Volumes of endpoints are encrypted with a key of your own",
    severity="mandatory",
    why=(
        "An endpoint's volume holds the model and what it was asked. Machines with a local NVMe"
        " disk encrypt it in hardware and take no key."
    ),
    remediation="write `security: {keys: customer}`, or `existing: {key: ARN}`",
    source="SageMaker API reference, CreateEndpointConfig, KmsKeyId, https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html",
    check=check,
    production=True,
)
