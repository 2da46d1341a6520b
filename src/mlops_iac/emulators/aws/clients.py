"""boto3 clients of one emulator, made once and shared between threads.

Making a session and a client costs 30-100 ms, most of it reading JSON models: one botocore loader
serves all, and no client looks for credentials, proxies, instance metadata or retries.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any

from mlops_iac.emulators.common.server import answer_seconds

SLOW = {"sagemaker-runtime": 70}
"""Seconds that a service has at least: a model has 60 to answer (SageMaker runtime API reference,
InvokeEndpoint), and then it is the service that says so."""


class Clients:
    """Clients for one endpoint, region and account. Thread-safe, and so are the clients."""

    def __init__(self, url: str, region: str, account: str) -> None:
        self.url = url
        self.region = region
        self.account = account
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._session: Any = None

    def get(self, service: str) -> Any:
        """The client of a boto3 service (`sagemaker`, `application-autoscaling`)."""
        found = self._made.get(service)
        if found is not None:
            return found
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> Any:
        from botocore.config import Config

        session = self._shared_session()
        config = Config(
            connect_timeout=5,
            read_timeout=max(answer_seconds(), SLOW.get(service, 0)),
            retries={"total_max_attempts": 1},
            proxies={},
            max_pool_connections=32,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            parameter_validation=True,
            user_agent_extra="mlops-iac",
        )
        client = session.client(
            service,
            region_name=self.region,
            endpoint_url=self.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 (moto takes anything)
            config=config,
        )
        client.meta.events.register("before-sign", self._in_account)
        return client

    def _in_account(self, request: Any, **_: Any) -> None:
        """Say whose call it is; moto keeps what accounts have apart (moto/core/responses.py)."""
        request.headers["x-moto-account-id"] = self.account

    def _shared_session(self) -> Any:
        if self._session is None:
            import boto3.session
            import botocore.session

            # A user's profile and settings, in the environment or in files, are of real clouds.
            variables = botocore.session.Session.SESSION_VARIABLES.items()
            core = botocore.session.Session(
                {key: (None, None, *rest) for key, (_, _, *rest) in variables}
            )
            core.set_config_variable("ignore_configured_endpoint_urls", True)
            core.set_config_variable("config_file", os.devnull)
            core.set_config_variable("credentials_file", os.devnull)
            core.register_component("data_loader", _loader())
            # boto3's, not botocore's, because S3's upload_file and friends come from boto3.
            self._session = boto3.session.Session(botocore_session=core)
        return self._session


@cache
def clients_for(url: str, region: str, account: str) -> Clients:
    """The shared clients of an endpoint, region and account."""
    return Clients(url, region, account)


@cache
def service_model(service: str) -> Any:
    """Botocore's `ServiceModel`, for checking requests without a client."""
    from botocore.model import ServiceModel

    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


@cache
def _loader() -> Any:
    """One loader for clients and checks: SageMaker's model alone takes 0.1 s to parse."""
    from botocore.loaders import create_loader

    return create_loader()
