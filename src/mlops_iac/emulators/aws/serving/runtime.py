"""SageMaker's runtime API: POST /endpoints/NAME/invocations, signed or plain.

What is particular to it is headers and errors. Source: botocore's model of sagemaker-runtime; the
words of errors are those that users of the service report.
"""

from __future__ import annotations

import json
import random
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from moto.iam.models import get_account_id_from
from moto.sagemaker.models import sagemaker_backends

from mlops_iac.emulators.aws.api import Place
from mlops_iac.emulators.aws.serving.captures import Event, Message
from mlops_iac.emulators.aws.serving.endpoints import Deployment, Endpoint, Variant
from mlops_iac.emulators.aws.serving.records import Records, Where
from mlops_iac.emulators.common.inference import NoReply, NotReady, Reply

PATH = re.compile(r"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)")
_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/")
# Source: botocore's model, BodyBlob; for serverless the developer guide, "Invoke a serverless endpoint".
_MOST_BYTES, _MOST_SERVERLESS = 6_291_456, 4 * 2**20
_SECONDS = 60.0
_SHADOWS = threading.BoundedSemaphore(16)  # asked at once; more requests are not copied
_MESSAGE = 2048
_PREFIX = "HTTP_X_AMZN_SAGEMAKER_"

Headers = list[tuple[str, str]]


class Refused(Exception):
    """An error as the API has it."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = {"Message": message, **more}


class Runtime:
    """Answers the paths that `PATH` matches."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """As a WSGI application. The body is read as a whole before."""
        began = time.perf_counter()
        try:
            status, headers, body = self._answer(environ, began)
        except Refused as error:
            status, body = error.status, json.dumps(error.body).encode()
            headers = [("Content-Type", "application/json")]
            if error.code:
                headers.append(("x-amzn-ErrorType", error.code))
        headers += [("x-amzn-RequestId", str(uuid.uuid4())), ("Content-Length", str(len(body)))]
        start_response(f"{status} {_WORDS.get(status, 'Error')}", headers)
        return [body]

    def _answer(self, environ: dict[str, Any], began: float) -> tuple[int, Headers, bytes]:
        match = PATH.fullmatch(environ["PATH_INFO"])
        assert match is not None
        target = environ.get(f"{_PREFIX}TARGET_VARIANT", "")
        endpoint = _endpoint(environ, match[1])
        where, deployment = endpoint.where, endpoint.answering(target)
        _refuse_others(environ, match[2], where, deployment)
        variant = _variant(target, where, deployment)
        body = _body(environ, variant)
        headers = _sent(environ)
        reply = self._ask(where, variant, body, headers, began)
        event = Event(
            variant.name,
            Message(headers["Content-Type"], body),
            Message(reply.headers.get("content-type", ""), reply.body),
            environ.get(f"{_PREFIX}INFERENCE_ID", ""),
            environ.get(f"{_PREFIX}CUSTOM_ATTRIBUTES", ""),
            time.time(),
        )
        captured = deployment.capture is not None and deployment.capture.wants()
        self._shadow(where, deployment, event, headers, captured)
        if reply.status != 200:
            raise _model_error(where, reply)
        if captured and deployment.capture is not None:
            self.records.capture(where, deployment.capture, event)
        answer: Headers = [
            ("Content-Type", event.answer.content_type),
            ("x-Amzn-Invoked-Production-Variant", variant.name),
        ]
        if attributes := reply.headers.get("x-amzn-sagemaker-custom-attributes"):
            answer.append(("X-Amzn-SageMaker-Custom-Attributes", attributes))
        return 200, answer, reply.body

    def _ask(
        self, where: Where, variant: Variant, body: bytes, headers: dict[str, str], began: float
    ) -> Reply:
        """The model's reply, measured. Raises Refused where it gave none."""
        assert variant.server is not None
        asked = time.perf_counter()
        self.records.asked(where)
        status = 500
        try:
            reply = variant.server.ask(body, headers, _SECONDS)
            status = reply.status
        except NotReady as error:
            if variant.serverless:
                raise Refused(429, "ModelNotReadyException", str(error)) from None
            raise Refused(
                503, "ServiceUnavailable", f"{variant.name} cannot answer: {error}"
            ) from None
        except NoReply as error:
            said = (
                "the connection to the model's server broke; it may have been ended by too little"
            )
            said = f"{said} memory"
            if error.timed_out:
                said = (
                    "Your invocation timed out while waiting for a response from container primary."
                    " Review the latency metrics for each container in Amazon CloudWatch, resolve the"
                    " issue, and try again."
                )
            raise _model_error(where, Reply(0, said.encode(), {})) from None
        finally:
            answered = time.perf_counter()
            model = (answered - asked) * 1e6
            self.records.measure(
                where,
                variant.name,
                {
                    "Invocations": (1, "None"),
                    "InvocationsPerInstance": (1 / (variant.count or 1), "None"),
                    "Invocation4XXErrors": (status // 100 == 4, "None"),
                    "Invocation5XXErrors": (status // 100 == 5, "None"),
                    "InvocationModelErrors": (status // 100 != 2, "None"),
                    "ModelLatency": (model, "Microseconds"),
                    "OverheadLatency": ((answered - began) * 1e6 - model, "Microseconds"),
                },
            )
        return reply

    def _shadow(
        self,
        where: Where,
        deployment: Deployment,
        event: Event,
        headers: dict[str, str],
        captured: bool,
    ) -> None:
        """Copy the request to shadows: as often as their weight is of the production variants'."""
        total = sum(each.weight for each in deployment.variants) or 1.0
        for each in deployment.shadows:
            if random.random() * total < each.weight and _SHADOWS.acquire(blocking=False):  # noqa: S311
                threading.Thread(
                    target=self._copy,
                    args=(where, deployment, each, event, headers, captured),
                    daemon=True,
                ).start()

    def _copy(
        self,
        where: Where,
        deployment: Deployment,
        shadow: Variant,
        event: Event,
        headers: dict[str, str],
        captured: bool,
    ) -> None:
        try:
            began = time.perf_counter()
            reply = self._ask(where, shadow, event.request.body, headers, began)
        except Refused:
            return  # which is measured
        finally:
            _SHADOWS.release()
        if captured and deployment.capture is not None and reply.status == 200:
            answer = Message(reply.headers.get("content-type", ""), reply.body)
            about = (event.inference_id, event.custom_attributes, event.at)
            self.records.capture(
                where, deployment.capture, Event(shadow.name, event.request, answer, *about)
            )


_WORDS = {
    200: "OK", 400: "Bad Request", 413: "Payload Too Large", 424: "Failed Dependency",
    429: "Too Many Requests", 503: "Service Unavailable",
}  # fmt: skip


def _endpoint(environ: dict[str, Any], name: str) -> Endpoint:
    """The endpoint that is meant, which serves. Raises Refused as for one that is not there."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    account = environ.get("HTTP_X_MOTO_ACCOUNT_ID") or get_account_id_from(
        scope[1] if scope else ""
    )
    if scope:
        places = [(account, scope[2])]
    else:  # not signed: whoever asks means the one of that name
        places = [(each, region) for each, it in list(sagemaker_backends.items()) for region in it]
    found = None
    for one, region in places:
        if region in sagemaker_backends[one]:
            found = sagemaker_backends[one][region].endpoints.get(name)
        if found is not None and found.current is not None:
            return found  # type: ignore[no-any-return]
    said = f"Endpoint {name} of account {account} not found."
    if found is not None:
        said = f"{said} Its status is {found.endpoint_status}. {found.failure_reason}"
    raise Refused(400, "ValidationError", said.strip())


def _refuse_others(environ: dict[str, Any], way: str, where: Where, deployment: Deployment) -> None:
    """Refuse what the emulated AWS has not: said as an error of the caller, of which each API has one."""
    if way == "async-invocations" or deployment.asynchronous:
        raise Refused(
            400,
            "ValidationError",
            f"Endpoint {where.name} cannot be invoked {'a' * (way[0] == 'a')}synchronously here:"
            " the emulated AWS answers InvokeEndpoint of endpoints without AsyncInferenceConfig.",
        )
    if way != "invocations":
        raise Refused(
            400,
            "ValidationError",
            f"Endpoint {where.name} streams no responses in the emulated AWS.",
        )
    for name, what in (
        ("TARGET_MODEL", "a multi-model endpoint"),
        ("TARGET_CONTAINER_HOSTNAME", "a multi-container endpoint"),
        ("INFERENCE_COMPONENT", "an endpoint with inference components"),
    ):
        if environ.get(f"{_PREFIX}{name}"):
            header = f"X-Amzn-SageMaker-{name.replace('_', '-').title()}"
            raise Refused(
                400, "ValidationError", f"Endpoint {where.name} is not {what}: {header} was sent."
            )


def _variant(target: str, where: Where, deployment: Deployment) -> Variant:
    """The one that is named, or one by chance and weight."""
    if not target:
        weights = [each.weight for each in deployment.variants]
        if not any(weights):
            raise Refused(400, "ValidationError", f"No variant of {where.name} has a weight.")
        return random.choices(deployment.variants, weights)[0]  # noqa: S311
    if (found := deployment.variant(target)) is None:
        raise Refused(
            400,
            "ValidationError",
            f"Variant {target} was not found for endpoint {where.name}; it has"
            f" {', '.join(each.name for each in deployment.variants)}.",
        )
    return found


def _body(environ: dict[str, Any], variant: Variant) -> bytes:
    """The body; one that is too long is read to its end, so that the refusal is read, too."""
    most = _MOST_SERVERLESS if variant.serverless else _MOST_BYTES
    stream, size = environ["wsgi.input"], 0
    left = sys.maxsize if environ.get("wsgi.input_terminated") else _length(environ)
    parts = []
    while left > 0 and (part := stream.read(min(left, 65_536))):
        left -= len(part)
        size += len(part)
        if size <= most:
            parts.append(part)
    if size > most:
        if variant.serverless:
            raise Refused(400, "ValidationError", f"Request {uuid.uuid4()} has oversize body.")
        raise Refused(413, "", f"HTTP content length exceeded {most} bytes.")
    return b"".join(parts)


def _length(environ: dict[str, Any]) -> int:
    said = environ.get("CONTENT_LENGTH") or "0"
    if not (said.isascii() and said.isdigit()):
        raise Refused(400, "ValidationError", "Content-Length is not a number.")
    return int(said)


def _sent(environ: dict[str, Any]) -> dict[str, str]:
    """The headers that reach the model; the service strips all others."""
    found = {
        "Content-Type": environ.get("CONTENT_TYPE") or "application/octet-stream",
        "Accept": environ.get("HTTP_ACCEPT") or "*/*",
    }
    for name in ("Custom-Attributes", "Inference-Id"):
        if value := environ.get(f"{_PREFIX}{name.upper().replace('-', '_')}"):
            found[f"X-Amzn-SageMaker-{name}"] = value
    return found


def _model_error(where: Where, reply: Reply) -> Refused:
    said = reply.body.decode("utf-8", "replace")[:_MESSAGE]
    kind = "client" if reply.status // 100 == 4 else "server"
    place = f"{where.region}.console.aws.amazon.com/cloudwatch/home?region={where.region}"
    partition = Place(where.region).partition
    group = f"arn:{partition}:logs:{where.region}:{where.account}:log-group:{where.log_group}"
    return Refused(
        424,
        "ModelError",
        f'Received {kind} error ({reply.status}) from primary with message "{said}". See'
        f" https://{place}#logEventViewer:group={where.log_group} in account {where.account} for more"
        " information.",
        OriginalStatusCode=reply.status,
        OriginalMessage=said,
        LogStreamArn=group,
        ErrorCode=f"{kind.upper()}_ERROR_FROM_MODEL",
    )
