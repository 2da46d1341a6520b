"""Symbolic capture: the program run with a stand-in for everything that only a deployment knows."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from mlops_iac.emulators.provider import Provider, ProviderError
from mlops_iac.engine.embedded import dynamic
from mlops_iac.engine.embedded.marks import mark_like
from mlops_iac.engine.embedded.program import run_program
from mlops_iac.engine.embedded.providers import Providers
from mlops_iac.engine.embedded.registration import (
    DYNAMIC_PROVIDER,
    Answer,
    Registration,
)
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import PROVIDER_TYPE, STACK_TYPE, ResourceGraph
from mlops_iac.graph.order import topological
from mlops_iac.graph.standins import StandIns
from mlops_iac.values import Properties, Secret, Value, contains_secret, reveal


class _Recorder:
    def __init__(self, target: StackTarget, providers: Mapping[str, Provider]) -> None:
        self._providers = Providers(providers, target)
        self._lock = threading.Lock()
        self.stand_ins = StandIns()
        self.registrations: dict[str, Registration] = {}
        self.answers: dict[str, Answer] = {}
        self.outputs: dict[str, Properties] = {}
        self.errors: list[str] = []

    def register(self, registration: Registration) -> Answer:
        urn = registration.urn
        if isinstance(text := reveal(registration.inputs.get(DYNAMIC_PROVIDER)), str):
            try:
                name = dynamic.name_of_provider(text)
            except ProviderError as error:
                raise MlopsError(f"{registration.address}: {error.message}") from error
            inputs = {**registration.inputs, DYNAMIC_PROVIDER: name}
            registration = replace(registration, inputs=inputs)
        with self._lock:
            if urn in self.registrations:
                raise MlopsError(f"{registration.address} is registered twice ({urn})")
            self.registrations[urn] = registration
        answer = self._answer(registration)
        with self._lock:
            self.answers[urn] = answer
        return answer

    def _answer(self, registration: Registration) -> Answer:
        if not registration.custom:
            return Answer(registration.urn)
        address = registration.address

        def make(property_: str, shape: str = "{}") -> str:
            return self.stand_ins.make(address, property_, shape)

        inputs = registration.inputs
        if registration.type.startswith(PROVIDER_TYPE):
            self._providers.add(registration.urn, registration.type, inputs, configured=False)
            return Answer(registration.urn, make("id"), inputs)
        provider = self._providers.of(registration.type, registration.provider)
        secret = contains_secret(inputs)
        id_, outputs = provider.stand_ins(
            registration.type,
            registration.name,
            reveal(inputs) if secret else inputs,
            make,
        )
        marked = dict(mark_like(outputs, inputs) if secret else outputs)
        for key in registration.additional_secret_outputs:
            if key in marked and not isinstance(marked[key], Secret):
                marked[key] = Secret(marked[key])
        return Answer(registration.urn, id_, marked, open=registration.package == dynamic.PACKAGE)

    def failed(self, error: BaseException) -> None:
        """The monitor keeps the first error and raises it at the end."""

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        with self._lock:
            self.outputs[urn] = outputs

    def invoke(self, token: str, args: Properties, provider: str) -> Mapping[str, Value]:
        return self._providers.invoke(token, args, provider)

    def log(self, severity: str, message: str) -> None:
        if severity == "error":
            self.errors.append(message)


def capture(target: StackTarget, providers: Mapping[str, Provider]) -> ResourceGraph:
    """Run the program of `target` and return every registration, stand-ins rendered.

    `providers` answer by package. Of a dynamic resource the lock shows which class provides it.

    Nothing is created and no state is read. Raises MlopsError for what the program or a request
    gets wrong.
    """
    recorder = _Recorder(target, providers)
    run_program(target, recorder, dry_run=False, absolute_assets=False)
    if recorder.errors:
        raise MlopsError("the program reported an error: " + "; ".join(recorder.errors))
    render = recorder.stand_ins.render
    resources = []
    stack_outputs: Properties = {}
    for urn in topological(
        {
            r.urn: [r.parent, r.deleted_with, r.provider.rpartition("::")[0], *r.dependencies]
            for r in recorder.registrations.values()
        }
    ):
        registration = recorder.registrations[urn]
        answer = recorder.answers[urn]
        outputs = render(answer.outputs if registration.custom else recorder.outputs.get(urn, {}))
        if registration.type == STACK_TYPE:
            stack_outputs = outputs
        resources.append(
            replace(
                registration,
                inputs=render(registration.inputs),
                outputs=outputs,
                id=render(answer.id),
                provider=render(registration.provider),
            )
        )
    return ResourceGraph(target.project, target.stack, tuple(resources), stack_outputs)
