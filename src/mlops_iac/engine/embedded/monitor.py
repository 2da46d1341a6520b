"""The engine's side of the SDK's monitor interface (SDK 3.272, `pulumi/runtime/mocks.py`)."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, ClassVar

from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from mlops_iac.emulators import wire
from mlops_iac.engine.embedded.registration import (
    Handler,
    Registration,
    decode,
    inherited_aliases,
    make_urn,
)
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import address_of

# Only what is implemented: the SDK itself refuses the rest (transforms, hooks, replace_with …), and
# without alias specs it sends full URNs, without resource references ids and URNs.
FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
)


class EmbeddedMonitor(mocks.MockMonitor):
    """Hands each whole request to a handler. The first error that was raised is kept in `error`."""

    def __init__(
        self,
        stack: str,
        project: str,
        handler: Handler,
        read_asset: wire.ReadAsset,
    ) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._stack = stack
        self._project = project
        self._handler = handler
        self._read_asset = read_asset
        self._lock = threading.Lock()
        self._aliases: dict[str, list[str]] = {}
        self.error: BaseException | None = None

    def _keep(self, error: BaseException) -> None:
        with self._lock:
            if self.error is None:
                self.error = error
        self._handler.failed(error)

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802
        """The features the SDK may use."""
        return resource_pb2.DeploymentInfo(supportedFeatures=list(FEATURES))

    def SupportsFeature(self, request: Any) -> Any:  # noqa: N802
        """The old form of the same question."""
        known = request.id in {"secrets", "deletedWith"}
        return resource_pb2.SupportsFeatureResponse(hasSupport=known)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        """A registration. An error becomes a failed result, so that the program prints nothing."""
        urn = make_urn(self._stack, self._project, request.parent, request.type, request.name)
        try:
            registration = decode(request, urn, self._read_asset)
            answer = self._handler.register(self._with_inherited(registration))
        except BaseException as error:
            self._keep(error)
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.Result.FAIL)
        if answer.failed:
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.Result.FAIL)
        return resource_pb2.RegisterResourceResponse(
            urn=answer.urn,
            id=answer.id,
            object=wire.to_struct(answer.outputs),
            unknown=answer.open,
        )

    def _with_inherited(self, registration: Registration) -> Registration:
        """With the former names that follow from those of its parent, as the real engine does."""
        with self._lock:
            above = self._aliases.get(registration.parent, [])
            aliases = [*registration.aliases, *inherited_aliases(registration, above)]
            own = self._aliases[registration.urn] = list(dict.fromkeys(aliases))
        return registration if own == registration.aliases else replace(registration, aliases=own)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """Outputs of a component or of the stack."""
        try:
            outputs = wire.from_struct(request.outputs, self._read_asset)
            self._handler.register_outputs(request.urn, outputs)
        except BaseException as error:
            self._keep(error)
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        """A data source; one that fails is reported to the program, which may not catch it."""
        if request.packageRef or request.pluginDownloadURL:
            self._keep(
                MlopsError(f"{request.tok}: invokes of a provider from elsewhere are refused")
            )
        try:
            args = wire.from_struct(request.args)
            result = self._handler.invoke(request.tok, args, request.provider)
        except BaseException as error:
            self._keep(error)
            failure = provider_pb2.CheckFailure(property="", reason=str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[failure])
        return resource_pb2.ResourceInvokeResponse(**{"return": wire.to_struct(result)})

    def _refuse(self, what: str) -> None:
        error = MlopsError(
            f"{what} is not implemented by the embedded engine",
            hint="leave it out, or deploy with `--engine pulumi`",
        )
        self._keep(error)
        raise error

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """`.get()` of an existing resource, and stack references: refused."""
        self._refuse(f"{address_of(request.type, request.name)}: reading an existing resource")

    def ExistsResource(self, request: Any) -> Any:  # noqa: N802
        """Refused."""
        self._refuse(f"{request.type}: asking whether a resource exists")

    def Call(self, request: Any) -> Any:  # noqa: N802
        """A method of a remote component: refused."""
        self._refuse(f"the call {request.tok}")

    def RegisterPackage(self, request: Any) -> Any:  # noqa: N802
        """A parameterized provider: refused."""
        self._refuse(f"the parameterized provider {request.name}")

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802
        """Refused; legacy transformations run in the SDK and work."""
        self._refuse("a stack transform")

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: N802
        """Refused."""
        self._refuse("an invoke transform")

    def RegisterResourceHook(self, request: Any) -> Any:  # noqa: N802
        """Refused."""
        self._refuse("a resource hook")

    def RegisterErrorHook(self, request: Any) -> Any:  # noqa: N802
        """Refused."""
        self._refuse("an error hook")


class EmbeddedLog:
    """The engine's side of `pulumi.log`."""

    _NAMES: ClassVar = {
        engine_pb2.INFO: "info",
        engine_pb2.WARNING: "warning",
        engine_pb2.ERROR: "error",
    }

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def Log(self, request: Any) -> Any:  # noqa: N802
        """One message; debug messages are dropped."""
        if severity := self._NAMES.get(request.severity):
            self._handler.log(severity, request.message)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, request: Any) -> Any:  # noqa: N802
        """Any version will do: this engine has none of its own."""
        return empty_pb2.Empty()
