"""Calls of the emulated AWS API: validated against botocore's model, errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_iac.emulators.aws.clients import clients_for, service_model
from mlops_iac.emulators.aws.translation import from_api, to_api
from mlops_iac.emulators.aws.validation import problems
from mlops_iac.emulators.common.schema import Spec
from mlops_iac.emulators.provider import ProviderError
from mlops_iac.errors import TimedOut
from mlops_iac.values import Properties, Value

# What regions of other partitions begin with. Source: botocore's partitions.json, `regionRegex`;
# the isolated partitions are not offered.
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
OPERATION_TAG = "mlops-iac:operation"
_ABSENT = re.compile(
    r"NoSuch|NotFound|NonExistent|could not find|cannot find|does not exist|not found"
    r"|No .{0,30} found",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where resources stand: what ARNs are made of."""

    region: str = "eu-west-1"
    account: str = "123456789012"

    @property
    def partition(self) -> str:
        """The partition that the region is in."""
        found = (name for start, name in _PARTITIONS.items() if self.region.startswith(start))
        return next(found, "aws")

    @property
    def suffix(self) -> str:
        """Domain of the partition's endpoints."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def names(self) -> dict[str, str]:
        """For templates."""
        return {
            "region": self.region,
            "account": self.account,
            "partition": self.partition,
            "suffix": self.suffix,
        }


class Api:
    """One emulator at one place. The endpoint is asked for with every call: it may be restarted."""

    def __init__(self, endpoint: Callable[[], str], place: Place) -> None:
        self._endpoint = endpoint
        self._silent = ""  # the endpoint that left a call unanswered
        self.place = place

    def params(
        self,
        service: str,
        operation: str,
        properties: Properties,
        renames: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Parameters of an operation. Raises ProviderError for a property without a member."""
        shape = service_model(service).operation_model(operation).input_shape
        return to_api(shape, properties, renames or {})

    def part(
        self,
        service: str,
        shape: str,
        properties: Properties,
        renames: Mapping[str, str] | None = None,
        path: str = "",
    ) -> dict[str, Any]:
        """The same for a shape by name, for members that the API wraps."""
        return to_api(service_model(service).shape_for(shape), properties, renames or {}, path=path)

    def properties(
        self,
        service: str,
        shape: str,
        data: Mapping[str, Any],
        fields: Mapping[str, Spec],
        renames: Mapping[str, str] | None = None,
        path: str = "",
    ) -> dict[str, Value]:
        """An answer's structure of that shape as properties."""
        return from_api(
            service_model(service).shape_for(shape), data, fields, renames or {}, path=path
        )

    def check(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Refuse what botocore's model refuses, enums, patterns and lengths included."""
        found = problems(service_model(service).operation_model(operation), parameters)
        if found:
            raise ProviderError(f"{service}:{operation} would be refused: {'; '.join(found)}")

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Check and call. Raises ProviderError, and TimedOut where no answer came."""
        self.check(service, operation, parameters)
        return self._send(service, operation, parameters)

    def look(self, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """Call, or None where the answer is that there is no such thing."""
        try:
            return self._send(service, operation, parameters)
        except ApiRefused as error:
            if error.absent:
                return None
            raise

    def _send(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from botocore import exceptions, xform_name

        url = self._endpoint()
        if url == self._silent:
            raise _unanswered(url)
        client = clients_for(url, self.place.region, self.place.account).get(service)
        try:
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        except exceptions.ClientError as error:
            details = error.response.get("Error", {})
            code, text = str(details.get("Code", "")), str(details.get("Message", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            raise ApiRefused(
                f"{service}:{operation}: {text} ({code})", code, text, status
            ) from error
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            # Not a ProviderError: whether it was done is not known, so it has to be looked up.
            self._silent = url
            raise _unanswered(url) from error
        except exceptions.BotoCoreError as error:
            raise ProviderError(f"{service}:{operation}: {error}") from error
        return answer


def _unanswered(url: str) -> TimedOut:
    return TimedOut(
        f"the emulated AWS does not answer at {url}",
        hint="`mlops-iac local stop` ends it; the next `up` creates again what it held. On a busy "
        "machine a longer MLOPS_IAC_EMULATOR_TIMEOUT helps",
    )


class ApiRefused(ProviderError):
    """The API answered with an error."""

    def __init__(self, message: str, code: str, text: str, status: int | None) -> None:
        super().__init__(message)
        self.code = code
        # S3 answers a HEAD without a body: only the number says it.
        self.absent = bool(_ABSENT.search(code) or _ABSENT.search(text) or code == "404")
        self.status = status
