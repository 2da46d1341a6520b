"""What a batch prediction runs with: its function, its roles, its table and its alarm.

The pipeline itself is a `TrainingPipeline`, what starts it `RetrainTriggers`. The function says which
version predicts and, at the end, that the output is complete. Nothing here is billed between runs but
the alarm and what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from ._alarms import failing_alarm, late_alarm
from ._batch_rights import BatchRights
from ._context import Context, catalogued, physical
from ._iam import lambda_trust, trust
from ._identity_statements import Grants
from ._naming import (
    ENDPOINT_LIMIT,
    PIPELINE_LIMIT,
    catalogue_name,
)
from ._pipeline_function import Children
from .retrain_triggers import NewData

_MODULE = "batch"
# The function ends the names of models with twelve characters of their content.
_MODEL_LIMIT = ENDPOINT_LIMIT - 12
NAMESPACE = "MlopsIac/Batch"
# Form of the files → how the catalogue reads them (Athena user guide, "OpenX JSON SerDe", "Open CSV
# SerDe").
_SERDES: dict[str, str] = {
    "json": "org.openx.data.jsonserde.JsonSerDe",
    "csv": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
}


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A model whose versions are registered in `package_group`; `version` None is the newest approved."""

    model: str
    package_group: pulumi.Input[str]
    version: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """A model from elsewhere: an image, and the `s3://` URI of an archive or a prefix."""

    image: pulumi.Input[str]
    model_data: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a dataset lies: below `datasets/<name>/` of the stack's bucket, or at `uri` (`s3://…/`)."""

    name: str
    uri: pulumi.Input[str] | None = None

    def within(self, bucket: pulumi.Input[str]) -> pulumi.Output[str]:
        """Its URI, where the stack's bucket is `bucket`."""
        if self.uri is not None:
            return pulumi.Output.from_input(self.uri)
        return pulumi.Output.concat("s3://", bucket, f"/datasets/{self.name}/")


@dataclass(frozen=True, kw_only=True)
class BatchPredictionArgs:
    """What a batch prediction needs.

    `chained`: other runs write `source`, and the newest of them is read. `output` gets a table in a
    catalogue where it is in the stack's bucket; `form` is that of its files. `watched` is what starts
    runs besides a schedule. `late_seconds`: somebody is told when no run completed for so long. `handler` is the function's source.
    `job_tags` are carried by all of the jobs, `images` are what they pull
    (`<account>/<repository>`). `key_arn` encrypts what is stored, `log_key_arn` the log. `known_as` is
    the name in the cloud where it is not the component's.
    """

    model: Registered | Given
    source: Place
    output: Place
    chained: bool = False
    form: Literal["json", "csv"] = "json"
    watched: Sequence[NewData] = ()
    data_bucket: pulumi.Input[str]
    data_bucket_arn: pulumi.Input[str]
    artifacts_bucket: pulumi.Input[str]
    artifacts_bucket_arn: pulumi.Input[str]
    handler: str
    images: Sequence[str] = ()
    job_tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    late_seconds: pulumi.Input[int] | None = None
    topic_arn: pulumi.Input[str] | None = None
    key_arn: pulumi.Input[str] | None = None
    log_key_arn: pulumi.Input[str] | None = None
    log_retention_days: int = 365
    subnets: Sequence[pulumi.Input[str]] = ()
    security_groups: Sequence[pulumi.Input[str]] = ()
    egress: Literal["all", "none"] = "all"
    permissions_boundary: pulumi.Input[str] | None = None
    known_as: str = ""
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class BatchPrediction(pulumi.ComponentResource):
    """`pipeline_role_arn` starts the jobs, `job_role_arn` runs them; each waits for its policy.

    `function_arn` is what the pipeline calls, `output_uri` where runs leave what they predicted, each
    below `run=<id>/`. What `depends_on` names is there before code is uploaded.
    """

    def __init__(
        self, name: str, args: BatchPredictionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:BatchPrediction", name, None, opts)
        self._name, self._args = name, args
        self._known = args.known_as or name
        self._context = Context(self)
        self._grants = Grants(self._context, args.key_arn)
        self._child = pulumi.ResourceOptions(parent=self)
        # A component's own dependencies are not those of its children.
        after = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        self._children = Children(self, name, self._known, args, after)
        self._pipeline = physical(self._known, PIPELINE_LIMIT)
        self.output_uri = args.output.within(args.data_bucket)
        self._database = catalogued(self._known) if args.output.uri is None else None
        self._table = catalogue_name(args.output.name)
        if self._database is not None:
            self._catalogue(self._database)
        model = args.model
        self._rights = rights = BatchRights(
            args,
            self._context,
            known=self._known,
            pipeline=self._pipeline,
            models=self._models,
            registered=model.model if isinstance(model, Registered) else None,
            given=model.model_data if isinstance(model, Given) else None,
            database=self._database,
            table=self._table,
            namespace=NAMESPACE,
        )
        self.job_role_arn = self._children.role(
            "jobs",
            "Runs the jobs and the model of a batch prediction",
            trust(self._context, "sagemaker"),
            rights.of_jobs(),
        )
        function = self._function()
        self.function_arn = function.arn
        self.pipeline_role_arn = self._children.role(
            "pipeline",
            "Starts the jobs of a batch prediction",
            trust(self._context, "sagemaker"),
            [
                *self._grants.start_jobs(("Processing", "Transform"), args.job_tags),
                self._grants.pass_roles([self.job_role_arn]),
                self._grants.call("Call", function.arn, "it says which version predicts"),
            ],
        )
        if args.topic_arn is not None:
            failing_alarm(
                f"{name}-failing",
                function,
                topic_arn=args.topic_arn,
                tags=args.tags,
                opts=self._child,
            )
        if args.late_seconds is not None:
            self._watch(args.late_seconds)
        self.register_outputs(
            {
                "functionArn": self.function_arn,
                "pipelineRoleArn": self.pipeline_role_arn,
                "jobRoleArn": self.job_role_arn,
                "outputUri": self.output_uri,
            }
        )

    def _catalogue(self, database: str) -> None:
        args, name = self._args, self._name
        made = aws.glue.CatalogDatabase(
            f"{name}-catalogue",
            name=database,
            description=f"What {self._known} predicted",
            tags=args.tags,
            opts=self._child,
        )
        column = aws.glue.CatalogTableStorageDescriptorColumnArgs
        header = {"skip.header.line.count": "1"} if args.form == "csv" else {}
        aws.glue.CatalogTable(
            f"{name}-table",
            name=self._table,
            database_name=made.name,
            table_type="EXTERNAL_TABLE",
            parameters={"classification": args.form, **header},
            partition_keys=[aws.glue.CatalogTablePartitionKeyArgs(name="run", type="string")],
            storage_descriptor=aws.glue.CatalogTableStorageDescriptorArgs(
                location=self.output_uri,
                columns=[column(name="prediction", type="string")],
                ser_de_info=aws.glue.CatalogTableStorageDescriptorSerDeInfoArgs(
                    serialization_library=_SERDES[args.form]
                ),
                input_format="org.apache.hadoop.mapred.TextInputFormat",
                output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            ),
            # Each run says which columns there are.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["storageDescriptor.columns"]),
        )

    def _function(self) -> aws.lambda_.Function:
        log = self._children.log()
        described = "Says which version predicts, and what is complete"
        role = self._children.role(
            "function",
            described,
            lambda_trust(self._context),
            self._rights.of_function(log, self.job_role_arn),
        )
        return self._children.function(_MODULE, described, role, log, self._settings())

    def _settings(self) -> dict[str, Any]:
        """`batch.Run`, the handler, says what each of these is."""
        args = self._args
        model: dict[str, Any]
        if isinstance(args.model, Registered):
            model = {"group": args.model.package_group, "version": args.model.version}
        else:
            given = args.model
            environment = dict(given.environment)
            model = {"image": given.image, "data": given.model_data, "environment": environment}
        network = {"Subnets": list(args.subnets), "SecurityGroupIds": list(args.security_groups)}
        return {
            **model,
            "models": self._models,
            "role": self.job_role_arn,
            "network": network if args.subnets else None,
            "isolated": args.egress == "none",
            "tags": dict(args.tags),
            "input": args.source.within(args.data_bucket),
            "chained": args.chained,
            "database": self._database,
            "table": self._table if self._database else None,
            "namespace": NAMESPACE,
            "entry": self._pipeline,
            "watched": [
                {
                    "uri": pulumi.Output.concat("s3://", each.bucket, "/", each.prefix),
                    "ending": each.ending,
                }
                for each in args.watched
            ],
            "pipeline": self._pipeline,
        }

    @property
    def _models(self) -> str:
        """What the names of the models begin with that the function makes."""
        return f"{physical(self._known, _MODEL_LIMIT - 1)}-"

    def _watch(self, seconds: pulumi.Input[int]) -> None:
        args = self._args
        late_alarm(
            f"{self._name}-late",
            metric=(NAMESPACE, "CompletedRuns"),
            dimensions={"Entry": self._pipeline},
            description=f"{self._pipeline} has completed no run for too long",
            seconds=seconds,
            actions=[] if args.topic_arn is None else [args.topic_arn],
            tags=args.tags,
            opts=self._child,
        )
