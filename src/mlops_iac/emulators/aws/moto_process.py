"""The emulator's own process: moto behind one loopback port. Started by `server.py` only.

    python -P -m mlops_iac.emulators.aws.moto_process --work DIR --instance ID [--port N]

Once it listens, it writes DIR/server.json (atomically, for its owner alone): whoever started it waits
for that file. It holds the token that the paths need which steer the server itself.
State is in memory and ends with the process; the random instance id tells one life from another.

Faults of moto are mended here. It denies every object request of a bucket whose policy has a
conditional statement, because it takes a condition that it cannot evaluate (`aws:SecureTransport`)
for one that is not met, and an unmet one for a denial (`moto/iam/access_control.py`). Conditional
statements of bucket policies therefore do not apply in the emulator; the others do. And it takes a
bucket whose versioning is suspended for one that never had versions: a deletion by version took all
of them, and failed with an internal error on a delete marker. And it has no
DeleteModelPackageGroup, so that versions outlived their registry; here they go with it, while
SageMaker refuses to delete a group that holds some; and a version that was approved forgot its
metadata (`CustomerMetadataProperties`), which an update that names none leaves alone. And it invents a
person who registers and approves versions; here it is whoever's process this is. What it looks up at
every request is kept besides.

Endpoints serve (`serving/`): their requests do not reach moto, which is asked one thing at a time. Alarms
are judged (`alarms/`). Pipelines run (`executions/`), what came of what is told (`lineage/`), and events reach
the targets of rules (`events/`). What neither moto nor this does is an error of the service (`faults`,
`refusals`).
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import re
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mlops_iac.emulators.aws.faults import honest
from mlops_iac.emulators.aws.in_order import IN_ORDER
from mlops_iac.emulators.aws.user import user
from mlops_iac.emulators.common.loopback import guarded
from mlops_iac.emulators.common.processes import began
from mlops_iac.emulators.common.server import IDENTITY_PATH
from mlops_iac.workfolder import write_durably

# Runtime requests; what they do is `serving.runtime`'s.
_INVOCATIONS = re.compile(
    r"/endpoints/[^/]+/(invocations|async-invocations|invocations-response-stream)"
)
# Moto's own reset, recorder and dashboard, and ours.
_CONTROL = ("/moto-api", "/mlops-iac")
# Services an MLOps stack meets first: making them while the caller still plans saves the first
# request of each 20-300 ms (iam and s3 the most).
_WARM = (
    "s3", "iam", "kms", "sts", "sagemaker", "sns", "sqs", "monitoring", "events", "scheduler",
    "logs", "application-autoscaling", "budgets", "lambda",
)  # fmt: skip
# Those by whose model of botocore moto reads requests and writes answers.
_MODELS = ("s3", "iam", "sagemaker", "sns", "sqs", "cloudwatch", "scheduler", "lambda")


# What reads what endpoints leave behind, as requests are signed for it.
_READERS = ("/logs/", "/monitoring/", "/s3/")
# And what reads what jobs do.
_LEFT = ("/logs/", "/monitoring/")
# Operations of SageMaker that tell of runs.
_RUNS = re.compile(
    r"SageMaker\.\w*(Pipeline|Job|Tag|Search|Artifact|Action|Context|Association|Lineage|Component)"
)
# And where what is told of runs arrives.
_TOLD = ("/sqs/",)


class _Serving:
    """The endpoints' and the executions' side of moto, made when its SageMaker is first asked."""

    def __init__(self, work: Path) -> None:
        self._folder = work / "models"
        self._runs = work.parent / "runs"
        self._lock = threading.Lock()
        self._made: Any = None
        self.url = ""  # once it listens

    def mend(self) -> Any:
        """Its runtime API."""
        with self._lock:
            if self._made is None:
                with IN_ORDER:
                    from mlops_iac.emulators.aws import refusals
                    from mlops_iac.emulators.aws.events import sources, targets
                    from mlops_iac.emulators.aws.executions import mends as executions
                    from mlops_iac.emulators.aws.lineage import mends as lineage
                    from mlops_iac.emulators.aws.serving.mends import install

                    refusals.install()
                    lineage.install()
                    sources.install()
                    targets.install(lambda: self.url)
                    known = executions.install(self._runs)
                    self._made = (*install(self._folder), known, sources.tell_of)
            return self._made[0]

    def flush(self) -> None:
        """Write what was logged, measured and captured."""
        if self._made is not None:
            self._made[0].records.flush()

    def refresh(self, *, left: bool) -> None:
        """Take over what runs have done; what they have logged and measured, too."""
        if self._made is not None:
            with IN_ORDER:
                self._made[2].refresh()
                self._made[3](self._made[2].known.values())
                if left:
                    self._made[2].write()

    def kill(self) -> None:
        """End every server."""
        if self._made is not None:
            self._made[1].kill()


def application(identity: dict[str, Any], serving: _Serving) -> Callable[..., Iterable[bytes]]:
    """Moto's WSGI application with one more path that says which instance this is."""
    moto = honest(_ask)
    sagemaker = (_mend_model_groups, _mend_version_users, serving.mend)
    mends = {"/s3/": (_mend_s3,), "/sagemaker/": sagemaker, "/monitoring/": (serving.mend,)}
    body = json.dumps(identity).encode()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == IDENTITY_PATH:
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            start_response("200 OK", headers)
            return [body]
        path = str(environ.get("PATH_INFO"))
        if environ.get("REQUEST_METHOD") == "POST" and _INVOCATIONS.fullmatch(path):
            return serving.mend()(environ, start_response)  # type: ignore[no-any-return]
        signed = str(environ.get("HTTP_AUTHORIZATION", "/s3/"))  # a public object is not signed for
        for service, several in list(mends.items()):
            if service in signed:
                for mend in several:
                    mend()
                mends.pop(service, None)
        if any(each in signed for each in _READERS):
            serving.flush()
        left = any(each in signed for each in _LEFT)
        told = left or any(each in signed for each in _TOLD)
        if told or _RUNS.match(str(environ.get("HTTP_X_AMZ_TARGET", ""))):
            serving.refresh(left=left)
        _read_ahead(environ)
        with IN_ORDER:
            return moto(environ, start_response)

    return serve


def _ask(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    try:
        service = _moto().get_application(environ)
    except Exception as error:  # one that it has not heard of ends in an AttributeError
        raise NotImplementedError from error
    return service(environ, start_response)  # type: ignore[no-any-return]


@functools.cache
def _moto() -> Any:
    from moto import backends
    from moto.core import utils
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    # It lists its own folder, of 200 others, at every request, and botocore's for every model.
    folders = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: folders
    utils.create_loader = functools.cache(utils.create_loader)
    return DomainDispatcherApplication(create_backend_app)


def _read_ahead(environ: dict[str, Any]) -> None:
    """Take the body before the others wait: one that comes slowly holds up its own request only."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))


def _mend_s3() -> None:
    _mend_bucket_policies()
    _mend_suspended_versions()


def _mend_suspended_versions() -> None:
    """Delete in a bucket whose versioning is suspended as where it is on: it has versions still.

    Source: S3 user guide, "Deleting objects from versioning-suspended buckets".
    """
    from moto.s3.models import S3Backend

    with IN_ORDER:
        delete = S3Backend.delete_object
        if getattr(delete, "by_version", False):
            return

        def delete_object(self: Any, bucket_name: str, *rest: Any, **named: Any) -> Any:
            bucket = self.get_bucket(bucket_name)
            if bucket.versioning_status != "Suspended":
                return delete(self, bucket_name, *rest, **named)
            bucket.versioning_status = "Enabled"
            try:
                return delete(self, bucket_name, *rest, **named)
            finally:
                bucket.versioning_status = "Suspended"

        delete_object.by_version = True  # type: ignore[attr-defined]
        S3Backend.delete_object = delete_object


def _mend_model_groups() -> None:
    """Delete a model package group, with its versions."""
    from moto.core.responses import ActionResult
    from moto.sagemaker.models import SageMakerModelBackend
    from moto.sagemaker.responses import SageMakerResponse

    def delete_model_package_group(self: Any) -> Any:
        name, backend = self._get_param("ModelPackageGroupName"), self.sagemaker_backend
        backend.describe_model_package_group(name)  # which says where there is none
        del backend.model_package_groups[name]
        for key, version in list(backend.model_packages.items()):
            if version.model_package_group_name == name:
                del backend.model_packages[key]
        return ActionResult({})

    update = SageMakerModelBackend.update_model_package

    def update_model_package(self: Any, **named: Any) -> Any:
        arn, given = named["model_package_arn"], named["customer_metadata_properties"]
        version = self.model_packages.get(self.model_package_name_mapping.get(arn, arn))
        known = (version and version.customer_metadata_properties) or {}
        named["customer_metadata_properties"] = {**known, **(given or {})}
        return update(self, **named)

    update_model_package.keeps = True  # type: ignore[attr-defined]
    with IN_ORDER:
        SageMakerResponse.delete_model_package_group = delete_model_package_group
        if not getattr(update, "keeps", False):
            SageMakerModelBackend.update_model_package = update_model_package


def _mend_version_users() -> None:
    """Let who registers and who approves a version be the user of this machine, where that has a name."""
    from moto.sagemaker.models import ModelPackage, ModelPackageGroup

    with IN_ORDER:
        make, describe = ModelPackage.__init__, ModelPackageGroup.gen_response_object
        if getattr(make, "by_user", False):
            return

        def __init__(self: Any, *rest: Any, **named: Any) -> None:  # noqa: N807
            make(self, *rest, **named)
            self.created_by = user(self.arn)
            # Moto says that it has looked through the image.
            self.model_package_status_details = {"ValidationStatuses": [], "ImageScanStatuses": []}

        def gen_response_object(self: Any) -> dict[str, Any]:
            return {**describe(self), "CreatedBy": user(self.arn) or {}}

        __init__.by_user = True  # type: ignore[attr-defined]
        ModelPackage.__init__ = __init__
        ModelPackageGroup.gen_response_object = gen_response_object


def _mend_bucket_policies() -> None:
    """Leave conditional statements out before moto judges a request by a bucket's policy."""
    from moto.s3.models import FakeBucket

    with IN_ORDER:
        judge = FakeBucket.get_permission
        if getattr(judge, "unconditional", False):
            return

        def get_permission(self: Any, action: str, resource: str) -> Any:
            whole = self.policy
            if whole is None:
                return judge(self, action, resource)
            document = json.loads(whole)
            statements = document.get("Statement", [])
            if isinstance(statements, dict):
                statements = [statements]
            plain = [entry for entry in statements if not entry.get("Condition")]
            bare = SimpleNamespace(policy=json.dumps({**document, "Statement": plain}).encode())
            return judge(bare, action, resource)

        get_permission.unconditional = True  # type: ignore[attr-defined]
        FakeBucket.get_permission = get_permission


def warm() -> None:
    """Import and make what the first requests need."""
    _mend_s3()
    _mend_model_groups()
    _mend_version_users()
    from moto.core.utils import get_service_model

    for service in _WARM:
        scope = f"AWS4-HMAC-SHA256 Credential=warm/20300101/us-east-1/{service}/aws4_request, "
        request = {"PATH_INFO": "/", "HTTP_HOST": "", "HTTP_AUTHORIZATION": scope}
        with IN_ORDER:
            _moto().get_application(request)
    for service in _MODELS:
        with IN_ORDER:
            get_service_model(service)


def _ready(serving: _Serving) -> None:
    warm()
    serving.mend()


def main() -> None:
    """Listen on loopback until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()

    serving = _Serving(arguments.work)

    def end(*_: object) -> None:
        serving.kill()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    # A request that is passed to a model waits for whatever else is computed here no longer than this.
    sys.setswitchinterval(0.001)
    # Ctrl-C is meant for the command, not for us. Not ignored: a run that is started here would ignore it,
    # too, until it has begun, and could not be stopped before.
    signal.signal(signal.SIGINT, lambda *_: None)

    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    class Handler(MotoRequestHandler):  # type: ignore[misc]
        # Keep-alive: without it every API call opens a connection and a thread.
        protocol_version = "HTTP/1.1"
        # Headers and body go out as two writes; with Nagle and a delayed ACK each call waits 40 ms.
        disable_nagle_algorithm = True

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Requests may carry secrets in their paths: none is logged."""

    identity: dict[str, Any] = {"instance": arguments.instance, "pid": os.getpid()}
    token = secrets.token_urlsafe(32)
    app = guarded(application(identity, serving), token, _CONTROL)
    try:
        server = make_server("127.0.0.1", arguments.port, app, True, request_handler=Handler)
    except (OSError, SystemExit):  # werkzeug exits on a port that is taken
        server = make_server("127.0.0.1", 0, app, True, request_handler=Handler)
    serving.url = f"http://127.0.0.1:{server.server_port}"
    info = {
        **identity,
        "port": server.server_port,
        "started": time.time(),
        "began": began(os.getpid()),
        "token": token,
    }
    write_durably(arguments.work / "server.json", json.dumps(info).encode())
    threading.Thread(target=_ready, args=(serving,), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
