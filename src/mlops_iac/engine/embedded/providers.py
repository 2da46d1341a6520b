"""Which provider answers for a type: its package's, or the one that the program configured."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from mlops_iac.emulators.provider import Provider, ProviderError
from mlops_iac.engine.embedded.dynamic import PACKAGE as DYNAMIC
from mlops_iac.engine.embedded.dynamic import DynamicProvider
from mlops_iac.engine.embedded.program import config_text
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import PROVIDER_TYPE, is_default_provider
from mlops_iac.values import Properties, Secret, Value, contains_unknown, reveal

if TYPE_CHECKING:
    from mlops_iac.engine.embedded.state import Entry


class Providers:
    """The providers of one run, those given by package and the one of dynamic resources."""

    def __init__(
        self,
        given: Mapping[str, Provider],
        target: StackTarget,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._target = target
        self._given = {
            **given,
            DYNAMIC: DynamicProvider(target.project, tell),
        }
        # By the URN of the provider resource that the program registered.
        self._explicit: dict[str, Provider] = {}

    def of(self, type_: str, reference: str = "") -> Provider:
        """The provider of a resource; `reference` is its provider's URN and id. Raises MlopsError."""
        provider = self._found(type_, reference)
        if provider is None or not provider.supports(type_):
            known = ", ".join(sorted(self._given.keys() - {DYNAMIC})) or "none"
            raise MlopsError(
                f"no emulated cloud knows the type {type_} (providers: {known})",
                hint="a stack with it can be deployed to a real cloud with `--engine pulumi`",
            )
        return provider

    def invoke(self, token: str, args: Properties, reference: str = "") -> Mapping[str, Value]:
        """The answer of a data source. Raises MlopsError."""
        provider = self._found(token, reference)
        if provider is None:
            raise MlopsError(f"no emulated cloud answers {token}")
        try:
            return provider.invoke(token, reveal(args))
        except ProviderError as error:
            raise MlopsError(f"{token}: {error.message}") from error

    def _found(self, token: str, reference: str) -> Provider | None:
        explicit = self._explicit.get(reference.rpartition("::")[0])
        return explicit or self._given.get(token.split(":", 1)[0])

    def configure(self, entries: Iterable[Entry] = ()) -> None:
        """As the target says; with `entries` as what stands in the state was made, if anything does.

        Raises MlopsError.
        """
        made = [each for each in entries if each.type.startswith(PROVIDER_TYPE)]
        for package, provider in self._given.items():
            config = package_config(package, self._target)
            for entry in made:
                if entry.type == f"{PROVIDER_TYPE}{package}" and is_default_provider(entry.urn):
                    config = {**config, **entry.inputs}
            self._configured(provider, config)
        for entry in made:
            if not is_default_provider(entry.urn):
                self.add(entry.urn, entry.type, entry.inputs)

    def add(self, urn: str, type_: str, inputs: Properties, *, configured: bool = True) -> None:
        """A provider resource of the program's own. Raises MlopsError for an unknown package."""
        package = type_.removeprefix(PROVIDER_TYPE)
        if package not in self._given:
            raise MlopsError(
                f"no emulated cloud knows the provider {package} "
                f"(providers: {', '.join(sorted(self._given.keys() - {DYNAMIC})) or 'none'})",
                hint="a stack with it can be deployed to a real cloud with `--engine pulumi`",
            )
        provider = self._given[package]
        if configured:
            # What it is configured with is its own: one cloud, several regions or accounts.
            provider = copy.copy(provider)
            self._configured(
                provider, {key: v for key, v in inputs.items() if not contains_unknown(v)}
            )
        self._explicit[urn] = provider

    def _configured(self, provider: Provider, config: Properties) -> None:
        try:
            provider.configure(self._target.stack, reveal(config))
        except ProviderError as error:
            raise MlopsError(error.message) from error


def package_config(package: str, target: StackTarget) -> dict[str, Value]:
    """The configuration of a package's default provider, secrets marked.

    Source: pulumi pkg/resource/deploy/target.go, `GetPackageConfig`: a dynamic provider is handed
    every key, as text and with its namespace.
    """
    found: dict[str, Value] = {}
    for key, value in sorted(target.config.items()):
        namespace, _, name = key.partition(":")
        if package == DYNAMIC:
            name, value = key, config_text(value)
        elif namespace != package:
            continue
        found[name] = Secret(value) if key in target.secret_keys else value
    return found
