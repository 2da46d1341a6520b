"""What may pass each way from a private network to a service of AWS.

An endpoint's policy grants nothing: it cuts what identities may do anyway to what this stack does,
so that code that runs in the network cannot carry data to somebody else's bucket or account.
Source: AWS PrivateLink guide, "Control access to VPC endpoints using endpoint policies"; ECR user
guide, "Amazon ECR interface VPC endpoints", for the bucket of image layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi

from ._context import Context
from ._iam import Statement, statement
from ._identity_statements import Grants
from .promotion import promoted_models

INVOKE = (
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointAsync",
    "sagemaker:InvokeEndpointWithResponseStream",
)


class EndpointPolicies:
    """The statements of each endpoint's policy. Everyone else's identities are kept out."""

    def __init__(
        self,
        context: Context,
        *,
        key_arn: pulumi.Input[str] | None,
        images: Sequence[str],
        endpoint_names: Sequence[str],
    ) -> None:
        self._context = context
        self._grants = Grants(context, key_arn)
        self._key_arn = key_arn
        self._images = images
        self._endpoints = endpoint_names

    def of(self, service: str) -> list[Statement]:
        """The statements for one of `PRIVATE_SERVICES`; none where nothing of it is needed."""
        match service:
            case "sagemaker.api":
                found = [self._manage()]
            case "sagemaker.runtime":
                found = [self._invoke()] if self._endpoints else []
            case "ecr.api" | "ecr.dkr":
                found = self._grants.pull(self._images)
            case "logs":
                found = [self._grants.log(["*"])]
            case "monitoring":
                found = [self._measure()]
            case "kms":
                found = [self._keys()]
            case "sts":
                found = [self._who()]
            case _:
                raise ValueError(f"no endpoint policy is known for {service}")
        return [self._own(each) for each in found]

    def s3(
        self,
        *,
        bucket_arns: Sequence[pulumi.Input[str]],
        uris: Sequence[pulumi.Input[str]],
        accounts: Sequence[str],
        stacks: Sequence[str],
        vpc_id: pulumi.Input[str],
    ) -> list[Statement]:
        """Buckets of the stack, of its sources and of the accounts that trained; image layers."""
        found = [
            statement(
                "OwnBuckets",
                [
                    "s3:AbortMultipartUpload",
                    "s3:GetBucketVersioning",
                    "s3:GetObject",
                    "s3:ListBucket",
                    "s3:PutObject",
                ],
                [each for arn in bucket_arns for each in (arn, pulumi.Output.concat(arn, "/*"))],
                reason="jobs and containers read and write the stack's own buckets",
            ),
            *self._grants.read_uris("Sources", uris, "data and models that lie elsewhere"),
        ]
        owned = [self._own(each) for each in found]
        if accounts:
            promoted = statement(
                "Promoted",
                ["s3:GetObject"],
                promoted_models(self._context, stacks),
                reason="endpoints serve what other accounts trained",
                wildcard="the end of the bucket's name is made when the other stack is deployed",
                conditions={"StringEquals": {"aws:ResourceAccount": list(accounts)}},
            )
            owned.append(self._own(promoted))
        layers = pulumi.Output.concat(
            "arn:",
            self._context.partition,
            ":s3:::prod-",
            self._context.region,
            "-starport-layer-bucket/*",
        )
        image_layers = statement(
            "ImageLayers",
            ["s3:GetObject"],
            [layers],
            reason="ECR keeps the layers of images there and hands out signed addresses, so the"
            " caller is ECR's own account",
            principal={"AWS": "*"},
            conditions={"StringEquals": {"aws:SourceVpc": vpc_id}},
        )
        return [*owned, image_layers]

    def callers(self, vpc_id: pulumi.Input[str]) -> list[Statement]:
        """What callers take on: calls from the network, and none from elsewhere.

        Source: SageMaker developer guide, "Limit Access to SageMaker Runtime by Using Condition
        Keys"; a call that comes through no endpoint has no `aws:SourceVpc`, and is denied.
        """
        return [
            statement(
                "Invoke",
                INVOKE,
                self._endpoint_arns(),
                reason="callers reach the endpoints through the network's own way",
                conditions={"StringEquals": {"aws:SourceVpc": vpc_id}},
            ),
            statement(
                "NotFromElsewhere",
                INVOKE,
                self._endpoint_arns(),
                reason="what allows a caller more must not let it call over the internet",
                effect="Deny",
                conditions={"StringNotEquals": {"aws:SourceVpc": vpc_id}},
            ),
        ]

    def _endpoint_arns(self) -> list[pulumi.Output[str]]:
        return [self._context.arn("sagemaker", f"endpoint/{name}") for name in self._endpoints]

    def _own(self, each: Statement) -> Statement:
        """The same for identities of this account alone."""
        conditions: Mapping[str, Mapping[str, object]] = each.conditions
        equal = {
            **conditions.get("StringEquals", {}),
            "aws:PrincipalAccount": self._context.account,
        }
        return replace(
            each, principal={"AWS": "*"}, conditions={**conditions, "StringEquals": equal}
        )

    def _manage(self) -> Statement:
        return statement(
            "LookAndStart",
            [
                "sagemaker:Describe*",
                "sagemaker:List*",
                "sagemaker:StartPipelineExecution",
                "sagemaker:StopPipelineExecution",
                "sagemaker:UpdateModelPackage",
            ],
            ["*"],
            reason="people and jobs in the network look, train and approve; nobody deploys from it",
            wildcard="lists know no resource; what an identity may do is said by its own policy",
        )

    def _invoke(self) -> Statement:
        return statement(
            "Invoke",
            INVOKE,
            self._endpoint_arns(),
            reason="callers in the network reach the endpoints of this stack and no others",
        )

    def _measure(self) -> Statement:
        return statement(
            "PutMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            reason="jobs and containers write metrics",
            wildcard="the action knows no resource",
        )

    def _keys(self) -> Statement:
        own = self._key_arn
        return statement(
            "UseKeys",
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            [self._context.arn("kms", "key/*") if own is None else own],
            reason="what jobs ask KMS themselves; S3 asks it without passing here",
            wildcard="the stack has no key of its own; these are the account's",
        )

    def _who(self) -> Statement:
        return statement(
            "WhoAmI",
            ["sts:GetCallerIdentity"],
            ["*"],
            reason="SDKs in jobs ask who they are",
            wildcard="the action knows no resource",
        )
