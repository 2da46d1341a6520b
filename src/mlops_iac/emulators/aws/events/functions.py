"""Functions of the emulated Lambda that an event calls: their deployed code, as a process here.

They see the emulated cloud, and of the user's environment what a workload sees. What is called once is
not tried again.
"""

from __future__ import annotations

import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.utils import unix_time_millis
from moto.logs.exceptions import ResourceAlreadyExistsException
from moto.logs.models import logs_backends
from moto.utilities.arns import parse_arn

from mlops_iac import python_child
from mlops_iac.emulators.aws.in_order import IN_ORDER
from mlops_iac.workload.processes import clean_environment

# The account goes with every call, as with those of `clients`.
_CALL = """
import importlib, json, sys
import boto3
code, handler, account = sys.argv[1:]
boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register(
    "before-sign", lambda request, **_: request.headers.add_header("x-moto-account-id", account)
)
sys.path.insert(0, code)
module, name = handler.rsplit(".", 1)
getattr(importlib.import_module(module), name)(json.load(sys.stdin), None)
"""


class NotCalled(Exception):
    """A function that this machine does not run, or that has failed; the message says why."""


def call(url: str, arn: str, event: str) -> None:
    """Call a function with an event as JSON, wait for its end, and bring its log what it printed.

    Not in order: it asks the emulated cloud at `url`. Raises NotCalled.
    """
    place = parse_arn(arn)
    with IN_ORDER:
        function: Any = lambda_backends[place.account][place.region].get_function(arn)
        runtime, handler = str(function.run_time), str(function.handler)
        package, variables = function.code_bytes, dict(function.environment_vars)
        seconds, group = float(function.timeout), str(function.logs_group_name)
    if function.package_type != "Zip" or not runtime.startswith("python"):
        raise NotCalled(
            f"functions in Python are called here, and {place.resource_id} is in {runtime}"
        )
    env = {
        **clean_environment(),
        **variables,
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": place.region,
        "AWS_REGION": place.region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder, "code.zip")
        code.write_bytes(package)
        command = python_child.command("-c", _CALL, str(code), handler, place.account)
        try:
            done = subprocess.run(
                command, cwd=folder, env=env, input=event, text=True, timeout=seconds, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise NotCalled(
                f"{place.resource_id} did not end within {seconds:g} seconds"
            ) from error
    lines = done.stdout.strip().splitlines()
    stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
    with IN_ORDER:
        log(place.account, place.region, group, stream, lines)
    if done.returncode:
        raise NotCalled(f"{place.resource_id} failed: {(lines or ['it said nothing'])[-1]}")


def log(account: str, region: str, group: str, stream: str, lines: Sequence[str]) -> None:
    """Write lines into a new stream of a log group. In order."""
    logs = logs_backends[account][region]
    with suppress(ResourceAlreadyExistsException):
        logs.create_log_group(group, {})
    logs.create_log_stream(group, stream)
    now = int(unix_time_millis())
    if lines:
        logs.put_log_events(group, stream, [{"timestamp": now, "message": each} for each in lines])
