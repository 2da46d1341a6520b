"""Lambda handler of a batch prediction: which version predicts, and what is told of its output.

Its pipeline calls it twice. `resolve`, first, finds the version and makes a model of it; `publish`,
last, says that the output is complete: in a file beside it, in the catalogue, and as a metric.

Environment: `SETTINGS`, a JSON object (see `Run`).
Imports only the standard library and boto3, which the Lambda runtime brings along.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

SUCCESS = "_SUCCESS"
# Kinds of `runtime.prediction` → Hive types. What is nested is kept as its JSON.
_TYPES = {"boolean": "boolean", "integer": "bigint", "number": "double"}
# No run is that long: what is older and not the current version's serves nobody any more.
_UNUSED = timedelta(days=28)


class NotReady(Exception):
    """Nothing can be predicted; the message says what to do."""


class Run:
    """The runs of one entry. `client` makes clients of a service by its name.

    `settings`: `group` and `version` (or `image`, `data` and `environment`) are the model;
    `models` begins the names of what is made of it, with `role`, `network`, `isolated` and `tags`.
    `input` is an `s3://…/` prefix; `chained` says that it holds runs, of which the newest is meant.
    `database` and `table` are in the catalogue, if any. `namespace` and `entry` name the metrics.
    `watched` are places, `uri` and `ending` of the names there, whose files start `pipeline`.
    """

    def __init__(self, settings: Mapping[str, Any], client: Callable[[str], Any]) -> None:
        self._settings = settings
        self._client = client

    def resolve(self, began: datetime) -> dict[str, str]:
        """Return `model`, `version`, `input` and `began`. Raises NotReady."""
        settings = self._settings
        source = self._newest(settings["input"]) if settings["chained"] else settings["input"]
        version, container = self._container()
        request = {
            "PrimaryContainer": container,
            "ExecutionRoleArn": settings["role"],
            "EnableNetworkIsolation": settings["isolated"],
            **({"VpcConfig": settings["network"]} if settings["network"] else {}),
        }
        # What a model is made of cannot be changed: other settings make another one.
        digest = sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        model = f"{settings['models']}{digest[:12]}"
        self._make(model, request)
        self._drop_unused(model, began)
        return {"model": model, "version": version, "input": source, "began": began.isoformat()}

    def publish(self, run: str, version: str, began: str, output: str, rows: str) -> dict[str, str]:
        """Say that the run `run` is complete. `rows` is the URI of what is known of the output.

        Returns `success`, the URI of the file that says so. Doing it again changes nothing.
        """
        s3 = self._client("s3")
        bucket, key = _split(rows)
        known = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        if self._settings["table"]:
            self._catalogue(run, output, known["columns"])
        manifest = {"run": run, "version": version, "began": began, **known}
        bucket, prefix = _split(output)
        success = {"Bucket": bucket, "Key": f"{prefix.rstrip('/')}/{SUCCESS}"}
        body = json.dumps(manifest, indent=2).encode()
        s3.put_object(**success, Body=body, ContentType="application/json")
        self._measure(known["rows"], known["predicted"])
        self._again(run, datetime.fromisoformat(began))
        return {"success": f"s3://{bucket}/{success['Key']}"}

    def _container(self) -> tuple[str, dict[str, Any]]:
        """The version, as people call it, and what a model of it is made of."""
        settings = self._settings
        if settings.get("image"):
            data = settings["data"]
            packed = data.endswith(".tar.gz")
            source = {
                "S3Uri": data,
                "S3DataType": "S3Object" if packed else "S3Prefix",
                "CompressionType": "Gzip" if packed else "None",
            }
            container = {"Image": settings["image"], "ModelDataSource": {"S3DataSource": source}}
            return data, {**container, "Environment": settings["environment"]}
        sagemaker, group = self._client("sagemaker"), settings["group"]
        pages = sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
        )
        for found in (each for page in pages for each in page["ModelPackageSummaryList"]):
            number = str(found["ModelPackageVersion"])
            approved = found["ModelApprovalStatus"] == "Approved"
            if settings["version"] == number and not approved:
                raise NotReady(f"version {number} of {group} is pinned and not approved")
            if approved and settings["version"] in (None, number):
                return number, {"ModelPackageName": found["ModelPackageArn"]}
        if settings["version"]:
            raise NotReady(f"{group} has no version {settings['version']}, which is pinned")
        raise NotReady(f"no version of {group} is approved: approve one, and start the run again")

    def _make(self, name: str, request: Mapping[str, Any]) -> None:
        sagemaker = self._client("sagemaker")
        tags = [{"Key": key, "Value": value} for key, value in self._settings["tags"].items()]
        try:
            sagemaker.describe_model(ModelName=name)
        except sagemaker.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            sagemaker.create_model(ModelName=name, Tags=tags, **request)

    def _drop_unused(self, current: str, now: datetime) -> None:
        sagemaker = self._client("sagemaker")
        prefix = self._settings["models"]
        pages = sagemaker.get_paginator("list_models").paginate(NameContains=prefix)
        for found in [each for page in pages for each in page["Models"]]:
            name, age = found["ModelName"], now - found["CreationTime"]
            if name.startswith(prefix) and name != current and age > _UNUSED:
                sagemaker.delete_model(ModelName=name)

    def _newest(self, uri: str) -> str:
        """The newest complete run below the prefix of a dataset that runs are written to."""
        done = [each for each in self._objects(uri) if each["Key"].endswith(f"/{SUCCESS}")]
        if not done:
            raise NotReady(f"no run has completed below {uri}: run the entry that writes it first")
        newest = max(done, key=lambda each: (each["LastModified"], each["Key"]))["Key"]
        return f"s3://{_split(uri)[0]}/{newest[: -len(SUCCESS)]}"

    def _objects(self, uri: str) -> Iterator[dict[str, Any]]:
        bucket, prefix = _split(uri)
        pages = self._client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            yield from page.get("Contents", [])

    def _catalogue(self, run: str, output: str, columns: Mapping[str, str]) -> None:
        """A partition of the run, with the columns that it has; the table gets them too."""
        glue, settings = self._client("glue"), self._settings
        names = {"DatabaseName": settings["database"]}
        table = glue.get_table(**names, Name=settings["table"])["Table"]
        # Of CSV all is text: an empty cell is no number to Athena.
        types = {} if table["Parameters"].get("classification") == "csv" else _TYPES
        described = [
            {"Name": name.lower(), "Type": types.get(kind, "string")}
            for name, kind in columns.items()
        ]
        storage = {**table["StorageDescriptor"], "Columns": described}
        if table["StorageDescriptor"]["Columns"] != described:
            kept = ("Name", "Description", "TableType", "Parameters", "PartitionKeys")
            changed = {key: table[key] for key in kept if key in table}
            glue.update_table(**names, TableInput={**changed, "StorageDescriptor": storage})
        partition = {"Values": [run], "StorageDescriptor": {**storage, "Location": output}}
        # What an earlier try made stays.
        with suppress(glue.exceptions.AlreadyExistsException):
            glue.create_partition(**names, TableName=settings["table"], PartitionInput=partition)

    def _measure(self, rows: int, predicted: int) -> None:
        values = {"CompletedRuns": 1, "Rows": rows, "RowsWithoutPrediction": rows - predicted}
        self._client("cloudwatch").put_metric_data(
            Namespace=self._settings["namespace"],
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "Entry", "Value": self._settings["entry"]}],
                    "Value": value,
                    "Unit": "Count",
                }
                for name, value in values.items()
            ],
        )

    def _again(self, run: str, began: datetime) -> None:
        """Start the next run where files arrived during this one: their events started none."""
        newer = (
            each
            for place in self._settings["watched"]
            for each in self._objects(place["uri"])
            if each["LastModified"] > began and each["Key"].endswith(place["ending"])
        )
        if next(newer, None) is not None:
            self._client("sagemaker").start_pipeline_execution(
                PipelineName=self._settings["pipeline"],
                PipelineExecutionDescription=f"Files arrived during {run}",
                ClientRequestToken=sha256(run.encode()).hexdigest(),
            )


def handler(event: dict[str, str], context: object) -> dict[str, str]:  # noqa: ARG001
    """Do what `event["do"]` says; the answer goes to the log, too, as one JSON line.

    Errors are raised, so that the step fails and says why.
    """
    import boto3

    run = Run(json.loads(os.environ["SETTINGS"]), boto3.client)
    wanted = {key: value for key, value in event.items() if key != "do"}
    if event["do"] == "resolve":
        # Not `datetime.UTC`: the runtime may be older.
        answer = run.resolve(datetime.now(timezone.utc))  # noqa: UP017
    else:
        answer = run.publish(**wanted)
    print(json.dumps({**event, **answer}))  # noqa: T201  (a Lambda logs by printing)
    return answer


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri[len("s3://") :].partition("/")
    return bucket, key
