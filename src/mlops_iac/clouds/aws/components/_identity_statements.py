"""What a role of the ML lifecycle can be granted, each grant with its reason.

Actions and the resource kinds they take: AWS service authorization reference. What the roles need:
Amazon SageMaker developer guide, "How to use SageMaker AI execution roles".
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from ._context import Context
from ._iam import Statement, statement

_JOB_KINDS = {"Processing": "processing-job", "Training": "training-job"}


class Grants:
    """Statements for one account and region. `key_arn`: the customer key of the data, if any."""

    def __init__(self, context: Context, key_arn: pulumi.Input[str] | None) -> None:
        self._context = context
        self._key_arn = key_arn

    def start_jobs(self, *, tunes: bool) -> list[Statement]:
        """What a pipeline does with its jobs. SageMaker names them `pipelines-<execution>-…`."""
        made = [
            self._jobs(
                kind,
                [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")],
                f"{arn}/pipelines-*",
                f"the pipeline starts and follows its {kind.lower()} jobs, and tags them with costs",
            )
            for kind, arn in _JOB_KINDS.items()
        ]
        if tunes:
            verbs = ("Create", "Describe", "Stop")
            made.append(
                self._jobs(
                    "Tuning",
                    [
                        *(f"sagemaker:{verb}HyperParameterTuningJob" for verb in verbs),
                        # A tuning step's properties are those of its description and this list.
                        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                    ],
                    "hyper-parameter-tuning-job/*",
                    "the pipeline starts and follows its tuning jobs, and tags them with costs",
                )
            )
        return made

    def _jobs(self, kind: str, actions: Sequence[str], jobs: str, reason: str) -> Statement:
        return statement(
            f"{kind}Jobs",
            [*actions, "sagemaker:AddTags"],
            [self._context.arn("sagemaker", jobs)],
            reason=reason,
            wildcard="SageMaker makes the names of a pipeline's jobs when it runs",
        )

    def pass_roles(self, roles: Sequence[pulumi.Input[str]]) -> Statement:
        """Hand the steps' roles to SageMaker, and to nobody else."""
        return statement(
            "PassStepRoles",
            ["iam:PassRole"],
            roles,
            reason="jobs run with the execution role, not with the pipeline's",
            conditions={
                "StringEquals": {"iam:PassedToService": self._context.service("sagemaker")}
            },
        )

    def seal(self, function_arn: pulumi.Input[str]) -> Statement:
        """Call the function that seals what is registered."""
        return statement(
            "Seal",
            ["lambda:InvokeFunction"],
            [function_arn],
            reason="models and reports are copied to where no step writes, before they are registered",
        )

    def register(self, groups: Sequence[str]) -> list[Statement]:
        """Add versions to the groups. Not `UpdateModelPackage`: nothing here approves itself."""
        arn = self._context.arn
        return [
            statement(
                "Register",
                ["sagemaker:CreateModelPackage", "sagemaker:AddTags"],
                [
                    each
                    for group in groups
                    for each in (
                        arn("sagemaker", f"model-package-group/{group}"),
                        arn("sagemaker", f"model-package/{group}/*"),
                    )
                ],
                reason="the last step registers the version that passed its gates",
                wildcard="the versions of these groups, which are numbered as they come",
            ),
            statement(
                "FollowVersions",
                ["sagemaker:DescribeModelPackage"],
                [arn("sagemaker", f"model-package/{group}/*") for group in groups],
                reason="the pipeline waits until the version is complete",
                wildcard="the versions of these groups, which are numbered as they come",
            ),
        ]

    def read(
        self, what: str, bucket_arn: pulumi.Input[str], prefixes: Sequence[str], reason: str
    ) -> list[Statement]:
        """Read the objects below prefixes, and list them."""
        return [
            statement(
                f"Read{what}",
                ["s3:GetObject"],
                _below(bucket_arn, prefixes),
                reason=f"reads {reason}",
            ),
            statement(
                f"List{what}",
                ["s3:ListBucket"],
                [bucket_arn],
                reason=f"finds {reason}",
                conditions={"StringLike": {"s3:prefix": [f"{each}*" for each in prefixes]}},
            ),
        ]

    def write(
        self, what: str, bucket_arn: pulumi.Input[str], prefixes: Sequence[str], reason: str
    ) -> Statement:
        """Write objects below prefixes."""
        return statement(
            f"Write{what}",
            ["s3:PutObject", "s3:AbortMultipartUpload"],
            _below(bucket_arn, prefixes),
            reason=reason,
        )

    def read_uris(
        self, what: str, uris: Sequence[pulumi.Input[str]], reason: str
    ) -> list[Statement]:
        """Read what lies at `s3://` URIs: an object, or all below a prefix that ends in `/`."""
        if not uris:
            return []
        split = [pulumi.Output.from_input(uri).apply(_split) for uri in uris]
        start = pulumi.Output.concat("arn:", self._context.partition, ":s3:::")
        buckets = [pulumi.Output.concat(start, each.apply(lambda at: at[0])) for each in split]
        objects = [
            pulumi.Output.concat(start, each.apply(lambda at: f"{at[0]}/{at[1]}")) for each in split
        ]
        return [
            statement(f"Read{what}", ["s3:GetObject"], objects, reason=f"reads {reason}"),
            statement(f"List{what}", ["s3:ListBucket"], buckets, reason=f"finds {reason}"),
        ]

    def decrypt(self, reason: str) -> list[Statement]:
        """Read what is encrypted; nothing to grant without a customer key."""
        if self._key_arn is None:
            return []
        return [statement("Decrypt", ["kms:Decrypt"], [self._key_arn], reason=reason)]

    def use_key(self, reason: str) -> list[Statement]:
        """Read and write under the key, and let SageMaker attach volumes under it."""
        if self._key_arn is None:
            return []
        return [
            statement(
                "UseKey",
                ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                [self._key_arn],
                reason=reason,
            ),
            statement(
                "GrantKey",
                ["kms:CreateGrant"],
                [self._key_arn],
                reason="volumes of jobs and endpoints are attached under the key by AWS itself",
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ]

    def pull(self, images: Sequence[str]) -> list[Statement]:
        """Pull images from ECR repositories, each `<account>/<repository>`."""
        if not images:
            return []
        repositories = []
        for image in dict.fromkeys(images):
            account, _, repository = image.partition("/")
            repositories.append(
                self._context.arn("ecr", f"repository/{repository}", account=account)
            )
        return [
            statement(
                "PullImages",
                [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                repositories,
                reason="containers start from these images and no others",
            ),
            statement(
                "RegistryToken",
                ["ecr:GetAuthorizationToken"],
                ["*"],
                reason="a pull begins with a token",
                wildcard="the action knows no resource",
            ),
        ]

    def log(self, groups: Sequence[str]) -> Statement:
        """Write logs below `/aws/sagemaker/`."""
        return statement(
            "WriteLogs",
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            [
                self._context.arn("logs", f"log-group:/aws/sagemaker/{group}{part}")
                for group in groups
                for part in ("", ":log-stream:*")
            ],
            reason="what the containers print",
            wildcard="SageMaker names groups of endpoints and streams of jobs when it starts them",
        )

    def measure(self, namespaces: Sequence[str]) -> Statement:
        """Put metrics into SageMaker's own namespaces."""
        return statement(
            "PutMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            reason="metrics of jobs and endpoints",
            wildcard="the action knows no resource; the namespace is the limit",
            conditions={"StringEquals": {"cloudwatch:namespace": list(namespaces)}},
        )

    def watch_alarms(self, names: Sequence[str]) -> list[Statement]:
        """Look at the alarms that roll a rollout back; without it guarded updates fail."""
        if not names:
            return []
        return [
            statement(
                "WatchRollbackAlarms",
                ["cloudwatch:DescribeAlarms"],
                [self._context.arn("cloudwatch", f"alarm:{name}") for name in names],
                reason="a guarded rollout is rolled back when one of these alarms goes off",
            )
        ]

    def attach_network(
        self, subnets: Sequence[pulumi.Input[str]], groups: Sequence[pulumi.Input[str]]
    ) -> list[Statement]:
        """Network interfaces in these subnets, with these security groups, and nowhere else."""
        described = ["DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs"]
        places = [self._ec2("subnet/", each) for each in subnets]
        named = [*places, *(self._ec2("security-group/", each) for each in groups)]
        interfaces = self._context.arn("ec2", "network-interface/*")
        return [
            statement(
                "DescribeNetwork",
                [f"ec2:Describe{each}" for each in described],
                ["*"],
                reason="jobs and containers find their network",
                wildcard="the actions know no resource",
            ),
            statement(
                "AttachNetwork",
                ["ec2:CreateNetworkInterface"],
                [interfaces, *named],
                reason="jobs and containers get interfaces in the subnets they are given",
                wildcard="EC2 names an interface when it makes it; subnets and groups are named",
            ),
            statement(
                "UseInterfaces",
                [
                    "ec2:CreateNetworkInterfacePermission",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DeleteNetworkInterfacePermission",
                ],
                [interfaces],
                reason="SageMaker takes these interfaces over, and removes them at the end",
                wildcard="interfaces are named by EC2 as they come and go; their subnet limits them",
                conditions={"ArnEquals": {"ec2:Subnet": places}},
            ),
        ]

    def _ec2(self, kind: str, id_: pulumi.Input[str]) -> pulumi.Output[str]:
        return self._context.arn("ec2", pulumi.Output.concat(kind, id_))


def _below(bucket_arn: pulumi.Input[str], prefixes: Sequence[str]) -> list[pulumi.Output[str]]:
    return [pulumi.Output.concat(bucket_arn, f"/{prefix}*") for prefix in prefixes]


def _split(uri: str) -> tuple[str, str]:
    """Bucket and object pattern of an `s3://` URI. Raises ValueError for anything else."""
    if not uri.startswith("s3://"):
        raise ValueError(f"{uri!r} is not an s3:// URI")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, f"{key}*" if not key or key.endswith("/") else key
