"""An endpoint, its deployments and their variants: what runs, what comes, and how describe says it.

Source: SageMaker API reference, DescribeEndpoint, ProductionVariantSummary, PendingDeploymentSummary,
VariantStatus, UpdateEndpoint; the words of failures are those that users of the service report.
"""

from __future__ import annotations

import math
import random
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.models import FakeEndpoint

from mlops_iac.emulators.aws.in_order import IN_ORDER
from mlops_iac.emulators.aws.serving.captures import Capture
from mlops_iac.emulators.aws.serving.models import CannotServe, Container, container
from mlops_iac.emulators.aws.serving.records import Records, Where
from mlops_iac.emulators.aws.serving.rollouts import shift
from mlops_iac.emulators.aws.serving.steps import Step
from mlops_iac.emulators.common.inference import Pool, Server

# How long a container may take until it answers a ping, where the variant does not say it.
# Source: SageMaker developer guide, "How containers should respond to health check (ping) requests".
_START_SECONDS = 240.0
_DRAIN_SECONDS = 1.0
_REASON = 1024


class Variant:
    """One variant of a deployment; `weight` and `count` change while it serves."""

    def __init__(self, said: Mapping[str, Any], where: Where, records: Records) -> None:
        self.name = str(said["VariantName"])
        self.model = str(said["ModelName"])
        self.serverless = said.get("ServerlessConfig")
        self.weight = float(said.get("InitialVariantWeight", 1.0))
        self.count = said.get("InitialInstanceCount")
        self.stream = f"{self.name}/i-{uuid.uuid4().hex[:17]}"
        self.container: Container | None = None
        self.server: Server | None = None
        self._said = said
        self._where = where
        self._records = records
        self._since = utcnow()

    def begin(self, backend: Any, pool: Pool) -> None:
        """Start its server. Raises CannotServe."""
        with IN_ORDER:
            self.container = container(backend, self.model)
        seconds = self._said.get("ContainerStartupHealthCheckTimeoutInSeconds") or _START_SECONDS
        self.server = pool.take(self.container.served, self._line, start_seconds=seconds)

    def settle(self) -> None:
        """Wait until its server answers. Raises CannotServe."""
        assert self.server is not None
        while not self.server.wait(60):
            pass
        if self.server.state == "failed":
            raise CannotServe(
                f"The primary container for production variant {self.name} did not pass the ping"
                " health check. Please check CloudWatch logs for this endpoint."
                f" Log group {self._where.log_group}, which ends with: {_line(self.server.reason)}"
            )

    def end(self, pool: Pool) -> None:
        """Give its server back."""
        if self.server is not None:
            pool.give_back(self.server, self._line)

    def _line(self, text: str) -> None:
        self._records.line(self._where, self.stream, text)

    def described(self, share: float) -> dict[str, Any]:
        """Its summary; of one that is only about to get a `share` the `Current…` are missing."""
        found: dict[str, Any] = {"VariantName": self.name, "DesiredWeight": self.weight}
        if self.serverless:
            found["DesiredServerlessConfig"] = self.serverless
        else:
            found["DesiredInstanceCount"] = self.count
        if self.container is not None and self.container.image:
            image = {"SpecifiedImage": self.container.image, "ResolvedImage": self.container.image}
            found["DeployedImages"] = [{**image, "ResolutionTime": self._since}]
        if share:
            found |= {
                name.replace("Desired", "Current"): value
                for name, value in found.items()
                if name.startswith("Desired")
            }
        if share and self.count:
            found["CurrentInstanceCount"] = math.ceil(self.count * share)
        return found


def _line(text: str) -> str:
    return "; ".join(filter(None, (line.strip() for line in text.splitlines())))


class Deployment:
    """One configuration on its way to an endpoint, or serving."""

    def __init__(self, where: Where, config: Mapping[str, Any], records: Records) -> None:
        self.config = str(config["EndpointConfigName"])
        self.asynchronous = bool(config.get("AsyncInferenceConfig"))
        self.variants, self.shadows = (
            [Variant(each, where, records) for each in config.get(key) or ()]
            for key in ("ProductionVariants", "ShadowProductionVariants")
        )
        capture = config.get("DataCaptureConfig")
        self.capture = Capture(capture, where.name) if capture else None
        self.began = utcnow()
        self.share = 0.0
        """Of the endpoint's requests."""
        self.status = ("Creating", f"Launching {self.instances} instance(s).", self.began)

    @property
    def instances(self) -> int:
        """Of all its production variants; a serverless one counts as one."""
        return sum(each.count or 1 for each in self.variants)

    def start(self, backend: Any, pool: Pool) -> str:
        """Start every variant; why one does not serve, or empty once all do."""
        try:
            for each in (*self.variants, *self.shadows):
                each.begin(backend, pool)
            for each in (*self.variants, *self.shadows):
                each.settle()
        except CannotServe as reason:
            return str(reason)[:_REASON]
        except Exception as fault:
            # Ours, or moto's. A deployment that nobody settles would be waited for without end.
            traceback.print_exc()  # to the emulator's own log
            return f"InternalFailure: {type(fault).__name__}: {fault}"[:_REASON]
        return ""

    def stop(self, pool: Pool) -> None:
        """Give all servers back."""
        for each in (*self.variants, *self.shadows):
            each.end(pool)

    def variant(self, name: str) -> Variant | None:
        """The production variant of that name."""
        return next((each for each in self.variants if each.name == name), None)

    def described(self) -> dict[str, Any]:
        """The variants as DescribeEndpoint has them."""
        found = {
            "EndpointConfigName": self.config,
            "ProductionVariants": [each.described(self.share) for each in self.variants],
        }
        if self.shadows:
            found["ShadowProductionVariants"] = [
                each.described(self.share) for each in self.shadows
            ]
        return found

    def summary(self) -> dict[str, Any]:
        """What is described of one that is on its way."""
        found = self.described()
        names = ("Status", "StatusMessage", "StartTime")
        for each in found["ProductionVariants"]:
            each["VariantStatus"] = [dict(zip(names, self.status, strict=True))]
        return {**found, "StartTime": self.began}


class Endpoint(FakeEndpoint):  # type: ignore[misc]  # moto has no types
    """What moto keeps under an endpoint's name: `current` serves, `pending` is to take its place."""

    def __init__(
        self,
        backend: Any,
        name: str,
        tags: list[dict[str, str]] | None,
        pool: Pool,
        records: Records,
    ) -> None:
        self.where = Where(backend.account_id, backend.region_name, name)
        self.endpoint_name = name
        self.arn = FakeEndpoint.arn_formatter(name, backend.account_id, backend.region_name)
        self.tags = tags or []
        self.endpoint_status = "Creating"
        self.failure_reason = ""
        self.creation_time = self.last_modified_time = utcnow()
        self.current: Deployment | None = None
        self.pending: Deployment | None = None
        self._failed: Deployment | None = None
        self.rollout: dict[str, Any] = {}
        """The DeploymentConfig that was given last."""
        self._gone = False
        self._backend = backend
        self._pool = pool
        self._records = records

    def answering(self, variant: str = "") -> Deployment:
        """Which deployment has a request: by chance and share, but the one that has the `variant`."""
        current, pending = self.current, self.pending
        assert current is not None
        if pending is None or not pending.share:
            return current
        if variant and (has := [each for each in (current, pending) if each.variant(variant)]):
            return has[0] if len(has) == 1 else random.choices(has, _shares(pending))[0]  # noqa: S311
        return random.choices((current, pending), _shares(pending))[0]  # noqa: S311

    def deploy(
        self,
        config: Mapping[str, Any],
        change: Callable[[Deployment], None] = lambda _: None,
        rollout: Mapping[str, Any] | None = None,
    ) -> None:
        """Start a configuration in the background, with a `change` to what it says of variants.

        What serves goes on until all of it serves and has got all the traffic as `rollout` says, and
        beyond where that fails.
        """
        self.pending = deployment = Deployment(self.where, config, self._records)
        change(deployment)
        self.endpoint_status = "Creating" if self.current is None else "Updating"
        self.last_modified_time = utcnow()
        if rollout:
            self.rollout = dict(rollout)

        def tell(step: Step, status: str) -> bool:
            if deployment.status[0] != status or deployment.share != step.share:
                words = step.activating if status == "ActivatingTraffic" else step.baking
                deployment.status = (status, words, utcnow())
            deployment.share = step.share
            return not self._gone

        def run() -> None:
            reason = deployment.start(self._backend, self._pool)
            if not reason and self.current is not None:
                reason = self._shifted(deployment, rollout or {}, tell)
            with IN_ORDER:
                old = deployment if reason or self._gone else self.current
                if not self._gone:
                    self._settled(deployment, reason)
            if old is not None:
                if old is not deployment or old.share:
                    time.sleep(_DRAIN_SECONDS)  # for requests that have just been given to it
                old.stop(self._pool)

        threading.Thread(target=run, daemon=True).start()

    def _shifted(
        self,
        deployment: Deployment,
        rollout: Mapping[str, Any],
        tell: Callable[[Step, str], bool],
    ) -> str:
        """Give it the traffic; why it was taken back, or empty."""
        try:
            why = shift(rollout, deployment.instances, self.where, self._records, tell)
        except Exception as fault:
            traceback.print_exc()
            return f"InternalFailure: {type(fault).__name__}: {fault}"[:_REASON]
        return why[:_REASON]

    def _settled(self, deployment: Deployment, reason: str) -> None:
        """The deployment serves, or why it does not; then what served goes on."""
        if not reason:
            deployment.share = 1.0
            self.current = deployment
        elif self.current is None:
            # It is shown what was to run.
            self._failed = deployment
        self.endpoint_status = "InService" if self.current else "Failed"
        self.failure_reason = reason
        self.pending = None
        self.last_modified_time = utcnow()

    def remove(self) -> None:
        """End everything; what is on its way ends when it has arrived."""
        self._gone = True
        if self.current is not None:
            threading.Thread(target=self.current.stop, args=(self._pool,), daemon=True).start()

    @property
    def response_object(self) -> dict[str, Any]:
        """What DescribeEndpoint says."""
        shown = self.current or self.pending or self._failed
        assert shown is not None
        found = {
            "EndpointName": self.endpoint_name,
            "EndpointArn": self.arn,
            "EndpointStatus": self.endpoint_status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            **shown.described(),
        }
        if self.failure_reason:
            found["FailureReason"] = self.failure_reason
        if shown.capture is not None:
            found["DataCaptureConfig"] = shown.capture.described()
        if self.rollout:
            found["LastDeploymentConfig"] = self.rollout
        if self.pending is not None:
            found["PendingDeploymentSummary"] = self.pending.summary()
        return found


def _shares(pending: Deployment) -> tuple[float, float]:
    return 1 - pending.share, pending.share
