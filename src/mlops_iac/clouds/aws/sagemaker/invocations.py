"""Calls of an endpoint, through the service's own runtime API.

Source: SageMaker runtime API reference, InvokeEndpoint.
"""

from __future__ import annotations

import time

from mlops_iac.clouds.aws.session import AwsSession
from mlops_iac.clouds.operations import Answer, ModelRefused
from mlops_iac.graph.model import Resource

# InvokeEndpoint, Body.
largest_body = 6_291_456


def invoke(
    endpoint: Resource, session: AwsSession, body: bytes, content_type: str, *, variant: str = ""
) -> Answer:
    """Call an endpoint. Raises ModelRefused for what the model's container refuses."""
    client = session.client("sagemaker-runtime")
    target = {"TargetVariant": variant} if variant else {}
    began = time.perf_counter()
    try:
        said = client.invoke_endpoint(
            EndpointName=str(endpoint.inputs.get("name") or endpoint.id),
            Body=body,
            ContentType=content_type,
            Accept="application/json",
            **target,
        )
        answered = said["Body"].read()
    except client.exceptions.ModelError as error:
        words = error.response.get("OriginalMessage") or str(error)
        raise ModelRefused(int(error.response.get("OriginalStatusCode") or 500), words) from None
    return Answer(
        answered,
        said.get("ContentType") or "",
        said.get("InvokedProductionVariant") or "",
        1000 * (time.perf_counter() - began),
    )
