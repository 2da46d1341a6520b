"""What the roles of a batch prediction may do: its jobs, and its function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._iam import Statement, statement
from ._identity_statements import Grants
from ._naming import PACKAGE_GROUP_LIMIT, sid
from ._package import write_log
from .data_store import CODE_PREFIX, MODELS_PREFIX, WORK_PREFIX

if TYPE_CHECKING:
    from .batch_prediction import BatchPredictionArgs


class BatchRights:
    """`known` is the entry's name in the cloud, `pipeline` its pipeline's.

    `models` begins the names of what its function makes of versions. `registered` is the model whose
    versions predict, `given` the address of one from elsewhere. The output's table, if any, is `table`
    in `database`. Metrics are put into `namespace`.
    """

    def __init__(
        self,
        args: BatchPredictionArgs,
        context: Context,
        *,
        known: str,
        pipeline: str,
        models: str,
        registered: str | None,
        given: pulumi.Input[str] | None,
        database: str | None,
        table: str,
        namespace: str,
    ) -> None:
        self._args, self._context = args, context
        self._grants = Grants(context, args.key_arn)
        self._known, self._pipeline, self._models = known, pipeline, models
        self._registered, self._given = registered, given
        self._database, self._table = database, table
        self._namespace = namespace

    def of_jobs(self) -> list[Statement]:
        """Read the input and the model, write the output and what steps leave to each other."""
        args, grants = self._args, self._grants
        artifacts = [f"{CODE_PREFIX}{self._known}/", self._work]
        models: Sequence[pulumi.Input[str]] = ()
        if self._registered is not None:
            artifacts.append(f"{MODELS_PREFIX}{self._registered}/")
        elif self._given is not None:
            models = [self._given]
        network = grants.attach_network(args.subnets, args.security_groups) if args.subnets else []
        return [
            *self._read_input(),
            *grants.read(
                "Artifacts",
                args.artifacts_bucket_arn,
                artifacts,
                "code, the model and what earlier steps left",
            ),
            grants.write(
                "Artifacts",
                args.artifacts_bucket_arn,
                [self._work],
                "steps leave rows and reports",
            ),
            *grants.read_uris("Models", models, "a model from elsewhere"),
            self._write_output("predictions are written here, and nowhere else"),
            *grants.use_key("inputs, outputs and volumes are encrypted"),
            *grants.pull(args.images),
            grants.log(["ProcessingJobs", "TransformJobs"]),
            grants.measure(["/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs"]),
            *network,
        ]

    def _read_input(self) -> list[Statement]:
        source, words = self._args.source, "the rows to predict for"
        if source.uri is not None:
            return self._grants.read_uris("Input", [source.uri], words)
        prefix = f"datasets/{source.name}/"
        return self._grants.read("Input", self._args.data_bucket_arn, [prefix], words)

    def _write_output(self, reason: str) -> Statement:
        output = self._args.output
        if output.uri is not None:
            return self._grants.write_uri("Output", output.uri, reason)
        prefix = f"datasets/{output.name}/"
        return self._grants.write("Output", self._args.data_bucket_arn, [prefix], reason)

    def of_function(
        self, log: aws.cloudwatch.LogGroup, job_role_arn: pulumi.Input[str]
    ) -> list[Statement]:
        """Find a version and make a model of it; say that an output is complete."""
        args, arn = self._args, self._context.arn
        models = [arn("sagemaker", f"model/{self._models}*")]
        catalogue: list[Statement] = []
        if self._database is not None:
            catalogue = [
                statement(
                    "Catalogue",
                    ["glue:CreatePartition", "glue:GetTable", "glue:UpdateTable"],
                    [
                        arn("glue", "catalog"),
                        arn("glue", f"database/{self._database}"),
                        arn("glue", f"table/{self._database}/{self._table}"),
                    ],
                    reason="each run becomes a partition, and says which columns there are",
                )
            ]
        again = [
            statement(
                sid(f"list new {each.dataset}"),
                ["s3:ListBucket"],
                [pulumi.Output.concat("arn:", self._context.partition, ":s3:::", each.bucket)],
                reason="looks whether files arrived during a run",
                conditions={"StringLike": {"s3:prefix": pulumi.Output.concat(each.prefix, "*")}},
            )
            for each in args.watched
        ]
        if again:
            again.append(
                statement(
                    "StartAgain",
                    ["sagemaker:StartPipelineExecution"],
                    [arn("sagemaker", f"pipeline/{self._pipeline}")],
                    reason="files that arrived during a run start the next",
                )
            )
        return [
            *self._find_version(),
            statement(
                "Models",
                [f"sagemaker:{each}" for each in ("CreateModel", "DescribeModel", "DeleteModel")]
                + ["sagemaker:AddTags"],
                models,
                reason="a run predicts with a model made of the version; old ones are deleted",
                wildcard="a name ends with what the model is made of",
            ),
            statement(
                "ListModels",
                ["sagemaker:ListModels"],
                ["*"],
                reason="old models are found by their names",
                wildcard="the action knows no resource",
            ),
            self._grants.pass_roles([job_role_arn]),
            *(self._read_input() if args.chained else []),
            *self._grants.read(
                "Report", args.artifacts_bucket_arn, [self._work], "what a run counted"
            ),
            self._write_output("a file beside the output says that it is complete"),
            *self._grants.encrypt("reports and that file are encrypted"),
            *catalogue,
            *again,
            self._grants.measure([self._namespace]),
            write_log(log),
        ]

    def _find_version(self) -> list[Statement]:
        if self._registered is None:
            return []
        group = physical(self._registered, PACKAGE_GROUP_LIMIT)
        return [
            statement(
                "FindVersion",
                ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"],
                [
                    self._context.arn("sagemaker", f"model-package-group/{group}"),
                    self._context.arn("sagemaker", f"model-package/{group}/*"),
                ],
                reason="the newest approved version predicts, or the pinned one",
                wildcard="the versions of this group, which are numbered as they come",
            )
        ]

    @property
    def _work(self) -> str:
        return f"{WORK_PREFIX}{self._known}/"
