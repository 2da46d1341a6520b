"""Lambda handler of an endpoint's monitoring: what is to be compared, and the metrics of what was found.

Its pipeline calls it twice. `resolve`, first, lists the captured calls, and copies what the versions
in service keep of the rows that they were made of. `publish`, last, makes metrics of the report.

Environment: `SETTINGS`, a JSON object (see `Watch`).
Imports only the standard library and boto3, which the Lambda runtime brings along.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

# Of one request: CloudWatch API reference, PutMetricData.
_MOST_METRICS = 1000
# Calls before the window make up for a quiet one: so much of them, and from so long ago.
_BEFORE_BYTES = 8 * 2**20
_BEFORE_DAYS = 30
# Calls are written some minutes after they were answered: the next window begins so much earlier.
_LATE = 300
_LAST = "last.json"
# What endpoints, models and versions are when they are gone.
_GONE = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "404")


class Watch:
    """The monitoring of one endpoint. `client` makes clients of a service by its name.

    `settings`: `endpoint` and its `variants`; `captures` and `work` are `s3://…/` prefixes: what was
    captured, by endpoint and variant, and where runs lie. `outcome_days`: how long outcomes are waited
    for, 0 where there are none. `namespace` is that of the metrics.
    """

    def __init__(self, settings: Mapping[str, Any], client: Callable[[str], Any]) -> None:
        self._settings = settings
        self._client = client

    def resolve(self, run: str, now: datetime, late_seconds: int = _LATE) -> dict[str, str]:
        """Return `captures`, the URI of a manifest, `known`, a prefix, and `files`, how many are listed.

        The window begins where that of the last run that was published ended, or a day ago.
        """
        known = f"{self._settings['work']}{run}/known/"
        since = self._since(now)
        for variant in self._settings["variants"]:
            self._reference(variant, f"{known}{variant}/examples.json")
        window = {"since": _stamp(since), "until": _stamp(now - timedelta(seconds=late_seconds))}
        self._put(f"{known}settings.json", {**window, "variants": self._settings["variants"]})
        base = f"{self._settings['captures']}{self._settings['endpoint']}/"
        found = [
            key for each in self._settings["variants"] for key in self._captured(each, since, now)
        ]
        prefix = _split(base)[1]
        # S3 API of SageMaker, S3DataSource, `ManifestFile`: a prefix, and keys below it.
        manifest = [{"prefix": base}, *(key[len(prefix) :] for key in found)]
        self._put(f"{self._settings['work']}{run}/captures.manifest", manifest)
        if not found:
            # No step that measures follows: that nobody called is a number, too.
            self._measure({each: {"CapturedCalls": 0} for each in self._settings["variants"]})
            self._put(self._settings["work"] + _LAST, window)
        return {
            "captures": f"{self._settings['work']}{run}/captures.manifest",
            "known": known,
            "files": str(len(found)),
        }

    def publish(self, report: str) -> dict[str, str]:
        """Put the metrics of the report below the prefix `report`. Returns `page`, its URI.

        What has no data has no metric: an alarm keeps the state that it has.
        """
        found = self._get(f"{report.rstrip('/')}/monitor.json")
        assert found is not None
        self._measure(
            {
                name: {
                    **each["metrics"],
                    "CapturedCalls": each["calls"],
                    "UnreadableCalls": each["unreadable"],
                }
                for name, each in found["variants"].items()
            }
        )
        window = {"since": found["since"], "until": found["until"]}
        self._put(self._settings["work"] + _LAST, window)
        return {"page": f"{report.rstrip('/')}/monitor.html", "state": found["state"]}

    def _since(self, now: datetime) -> datetime:
        last = self._get(self._settings["work"] + _LAST)
        if last is None:
            return now - timedelta(days=1)
        return datetime.fromisoformat(last["until"].replace("Z", "+00:00"))

    def _captured(self, variant: str, since: datetime, now: datetime) -> Iterator[str]:
        """Keys of the files of the window, and of those before it that are wanted besides."""
        days = max(self._settings["outcome_days"], _BEFORE_DAYS)
        base = f"{self._settings['captures']}{self._settings['endpoint']}/{variant}/"
        bucket, prefix = _split(base)
        pages = self._client("s3").get_paginator("list_objects_v2")
        # Keys have the hour, and so the order of time (`YYYY/MM/DD/HH/`).
        first = f"{prefix}{now - timedelta(days=days):%Y/%m/%d}"
        start, before = f"{prefix}{since:%Y/%m/%d/%H}", []
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=first):
            for each in page.get("Contents", []):
                if each["Key"] >= start:
                    yield each["Key"]
                else:
                    before.append(each)
        room = math.inf if self._settings["outcome_days"] else _BEFORE_BYTES
        for each in reversed(before):
            room -= each["Size"]
            if room < 0:
                return
            yield each["Key"]

    def _reference(self, variant: str, target: str) -> None:
        """Copy what the version that a variant serves has kept; nothing where it has none."""
        client = self._client("sagemaker")
        try:
            endpoint = client.describe_endpoint(EndpointName=self._settings["endpoint"])
            config = client.describe_endpoint_config(
                EndpointConfigName=endpoint["EndpointConfigName"]
            )
            served = {
                each["VariantName"]: each["ModelName"] for each in config["ProductionVariants"]
            }
            model = client.describe_model(ModelName=served[variant])
            containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", ())]
            version = next(
                each["ModelPackageName"] for each in containers if "ModelPackageName" in each
            )
            package = client.describe_model_package(ModelPackageName=version)
            bucket, key = _split(package["CustomerMetadataProperties"]["examples"])
            to, name = _split(target)
            self._client("s3").copy_object(
                Bucket=to,
                Key=name,
                CopySource={"Bucket": bucket, "Key": key},
                TaggingDirective="REPLACE",  # to copy tags is another right
            )
        except (KeyError, StopIteration):
            return  # a version from elsewhere, or from before there were any
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise

    def _measure(self, values: Mapping[str, Mapping[str, float]]) -> None:
        data = [
            {
                "MetricName": name,
                "Dimensions": [
                    {"Name": "EndpointName", "Value": self._settings["endpoint"]},
                    {"Name": "VariantName", "Value": variant},
                ],
                "Value": value,
                "Unit": "Count" if name.endswith("Calls") else "None",
            }
            for variant, metrics in values.items()
            for name, value in metrics.items()
            # One number that is not finite has the whole request refused.
            if math.isfinite(value)
        ]
        for start in range(0, len(data), _MOST_METRICS):
            self._client("cloudwatch").put_metric_data(
                Namespace=self._settings["namespace"],
                MetricData=data[start : start + _MOST_METRICS],
            )

    def _put(self, uri: str, what: Any) -> None:
        bucket, key = _split(uri)
        body = json.dumps(what).encode()
        self._client("s3").put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="application/json"
        )

    def _get(self, uri: str) -> dict[str, Any] | None:
        bucket, key = _split(uri)
        s3 = self._client("s3")
        try:
            found: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return None
        return found


def handler(event: dict[str, str], context: object) -> dict[str, str]:  # noqa: ARG001
    """Do what `event["do"]` says; the answer goes to the log, too, as one JSON line.

    Errors are raised, so that the step fails and says why.
    """
    import boto3

    watch = Watch(json.loads(os.environ["SETTINGS"]), boto3.client)
    if event["do"] == "resolve":
        # Not `datetime.UTC`: the runtime may be older.
        answer = watch.resolve(event["run"], datetime.now(timezone.utc))  # noqa: UP017
    else:
        answer = watch.publish(event["report"])
    print(json.dumps({**event, **answer}))  # noqa: T201  (a Lambda logs by printing)
    return answer


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri[len("s3://") :].partition("/")
    return bucket, key
