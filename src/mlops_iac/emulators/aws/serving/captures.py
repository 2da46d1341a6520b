"""Captured requests, as SageMaker writes them to S3: JSON lines by endpoint, variant and hour.

Source: SageMaker developer guide, "Capture data from real-time endpoint"; API reference,
DataCaptureConfig, CaptureContentTypeHeader.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or its answer: what was said of it, and the bytes."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One request that was answered, and when. `variant` is whose answer it is."""

    variant: str
    request: Message
    answer: Message
    inference_id: str
    custom_attributes: str
    at: float


class Capture:
    """What one endpoint captures: its `DataCaptureConfig`."""

    def __init__(self, config: Mapping[str, Any], endpoint: str) -> None:
        self.config = config
        self._endpoint = endpoint
        self.enabled = bool(config.get("EnableCapture", True))
        self.percentage = int(config["InitialSamplingPercentage"])
        uri = str(config["DestinationS3Uri"]).removeprefix("s3://").rstrip("/")
        self.bucket, _, self._prefix = uri.partition("/")
        self.kms_key = config.get("KmsKeyId")
        self._modes = {each["CaptureMode"] for each in config["CaptureOptions"]}
        said = config.get("CaptureContentTypeHeader") or {}
        # By what is configured alone: without it everything is BASE64.
        self._encodings = {
            media_type(each): encoding
            for encoding, name in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes"))
            for each in said.get(name) or ()
        }

    def wants(self) -> bool:
        """Whether one more request is captured."""
        return self.enabled and random.random() * 100 < self.percentage  # noqa: S311

    def described(self) -> dict[str, Any]:
        """As DescribeEndpoint says it."""
        return {
            "EnableCapture": self.enabled,
            "CaptureStatus": "Started" if self.enabled else "Stopped",
            "CurrentSamplingPercentage": self.percentage,
            "DestinationS3Uri": self.config["DestinationS3Uri"],
            # Required in the answer, and not in what was asked.
            "KmsKeyId": self.kms_key or "",
        }

    def key(self, event: Event) -> str:
        """Where a file goes that begins with this event."""
        at = datetime.fromtimestamp(event.at, UTC)
        where = (self._prefix, self._endpoint, event.variant, f"{at:%Y/%m/%d/%H}")
        name = f"{at:%M-%S}-{at.microsecond // 1000:03}-{uuid4()}.jsonl"
        return "/".join(filter(None, (*where, name)))

    def line(self, event: Event) -> str:
        """One event as a line."""
        data = {}
        if self._modes & {"Input", "InputAndOutput"}:
            data["endpointInput"] = self._said(event.request, "INPUT")
        if self._modes & {"Output", "InputAndOutput"}:
            data["endpointOutput"] = self._said(event.answer, "OUTPUT")
        at = datetime.fromtimestamp(event.at, UTC)
        about = {"eventId": str(uuid4())}
        if event.custom_attributes:
            about["customAttributes"] = [event.custom_attributes]  # type: ignore[assignment]
        if event.inference_id:
            about["inferenceId"] = event.inference_id
        about["inferenceTime"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        return json.dumps({"captureData": data, "eventMetadata": about, "eventVersion": "0"})

    def _said(self, message: Message, mode: str) -> dict[str, str]:
        encoding = self._encodings.get(media_type(message.content_type), "BASE64")
        try:
            data = message.body.decode() if encoding != "BASE64" else ""
        except UnicodeDecodeError:
            encoding = "BASE64"
        if encoding == "BASE64":
            data = base64.b64encode(message.body).decode()
        return {
            "observedContentType": message.content_type,
            "mode": mode,
            "data": data,
            "encoding": encoding,
        }


def media_type(content_type: str) -> str:
    """Without its parameters: `application/json; charset=utf-8` is captured as JSON, too."""
    return content_type.partition(";")[0].strip().lower()
