"""Where and with what the real CLI runs: its environment, backend, passphrase, configuration."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from mlops_iac.emulators.provider import Provider, ResourceState
from mlops_iac.engine.embedded.durable import write_durably
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.values import Asset, Properties, Value

LOCAL: Final = "local"
_DEBUG: Final = "PULUMI_DEBUG_PROVIDERS"


def require_cli() -> None:
    """Raise UsageError, saying what to install, where there is no `pulumi` on PATH."""
    if shutil.which("pulumi") is None:
        raise UsageError(
            "the Pulumi CLI is not installed: there is no `pulumi` on PATH; nothing was changed",
            hint="install it from https://www.pulumi.com/docs/install/ (for instance"
            " `curl -fsSL https://get.pulumi.com | sh`) and open a new shell;"
            " `-s local` works without it",
        )
    if shutil.which("pulumi-language-python") is None:
        raise UsageError(
            "`pulumi-language-python` is not on PATH beside `pulumi`; nothing was changed",
            hint="install the Pulumi CLI as a whole: https://www.pulumi.com/docs/install/",
        )


@contextlib.contextmanager
def environment(target: StackTarget, providers: Mapping[str, Provider]) -> Iterator[dict[str, str]]:
    """Variables for the CLI's process while it runs.

    For `local` a backend of its own and the emulated clouds, served until the context ends; for
    every other stack the user's own backend, and never an emulated cloud.
    """
    common = {
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The interpreter that has this package, unless the program names a virtual environment.
        "PULUMI_PYTHON_CMD": os.environ.get("PULUMI_PYTHON_CMD", sys.executable),
    }
    if target.stack != LOCAL:
        if os.environ.get(_DEBUG):
            raise UsageError(
                f"{_DEBUG} is set: the stack {target.stack} would be deployed to an emulated cloud",
                hint=f"unset {_DEBUG}",
            )
        assert _DEBUG not in common
        yield common
        return
    from mlops_iac.emulators import plugin

    folder = local_folder(target)
    with contextlib.ExitStack() as running:
        rooted: list[Any] = [
            _Rooted(provider, target.program.resolve()) for provider in providers.values()
        ]
        servers = [running.enter_context(plugin.serve(p)) for p in rooted]
        served = ",".join(server.environment[_DEBUG] for server in servers)
        yield {
            **common,
            _DEBUG: served,
            "PULUMI_BACKEND_URL": folder.resolve().as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": _passphrase(folder),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


class _Rooted:
    """A provider whose assets lie in the program's folder, where a real plugin would run."""

    def __init__(self, provider: Provider, folder: Path) -> None:
        self._provider = provider
        self._folder = folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def _absolute(self, value: Value) -> Value:
        match value:
            case Asset(path=str() as path):
                return replace(value, path=str(self._folder / path))
            case dict():
                return {key: self._absolute(item) for key, item in value.items()}
            case list():
                return [self._absolute(item) for item in value]
            case _:
                return value

    def create(self, urn: str, type_: str, inputs: Properties, token: str) -> ResourceState:
        """As the provider does."""
        return self._provider.create(urn, type_, self._absolute(dict(inputs)), token)

    def update(
        self, urn: str, type_: str, old: ResourceState, new_inputs: Properties
    ) -> ResourceState:
        """As the provider does."""
        return self._provider.update(urn, type_, old, self._absolute(dict(new_inputs)))


def local_folder(target: StackTarget) -> Path:
    """The backend of `local`. Raises MlopsError if it cannot be made."""
    folder = target.work / "pulumi"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = target.work / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise MlopsError(f"cannot write to {folder}: {error.strerror}") from error
    return folder


def _passphrase(folder: Path) -> str:
    file = folder / "passphrase"
    if not file.exists():
        write_durably(file, secrets.token_urlsafe(32).encode())
    return file.read_text()


def write_config(target: StackTarget) -> Path:
    """A copy of `Pulumi.<stack>.yaml` with the target's configuration; returns its path.

    The project's own file is not ours alone and stays as it is. Of its keys, ours (the project's
    namespace) and the provider's are replaced by the target's; foreign keys and encrypted values
    are kept. Raises UsageError for a file that is no mapping.
    """
    source = target.program / f"Pulumi.{target.stack}.yaml"
    try:
        settings: Any = yaml.safe_load(source.read_text()) if source.exists() else {}
    except (yaml.YAMLError, OSError) as error:
        raise UsageError(f"cannot read {source}: {error}") from error
    settings = {} if settings is None else settings
    if not isinstance(settings, dict) or not isinstance(settings.get("config") or {}, dict):
        raise UsageError(f"{source} is not a stack's settings")
    theirs = settings.get("config") or {}
    config = {key: value for key, value in theirs.items() if not _ours(key, target)}
    for key, value in sorted(target.config.items()):
        if not _ours(key, target):
            raise UsageError(f"the configuration key {key} belongs to someone else")
        encrypted = theirs.get(key)
        if isinstance(encrypted, dict) and "secure" in encrypted:
            config[key] = encrypted
        elif key in target.secret_keys:
            raise UsageError(
                f"the secret {key} has no encrypted value for the stack {target.stack}",
                hint=f"pulumi config set --secret --stack {target.stack} {key}",
            )
        elif value is not None:
            config[key] = value
    settings["config"] = config
    file = target.work / "pulumi" / "config" / f"Pulumi.{target.stack}.yaml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, yaml.safe_dump(settings, sort_keys=True).encode())
    except OSError as error:
        raise MlopsError(f"cannot write {file}: {error.strerror}") from error
    return file


def _ours(key: str, target: StackTarget) -> bool:
    return key.split(":", 1)[0] in (target.project, "aws")
