"""Where and with what the real CLI runs: its environment, backend, passphrase, configuration."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from mlops_iac import python_child
from mlops_iac.emulators.provider import Provider
from mlops_iac.engine import plugin_path
from mlops_iac.engine.embedded.autonaming import KEY as AUTONAMING
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.git_environment import for_programs
from mlops_iac.workfolder import made, write_durably

LOCAL: Final = "local"
_DEBUG: Final = "PULUMI_DEBUG_PROVIDERS"
_BACKEND: Final = "PULUMI_BACKEND_URL"
# Where a stack's file keeps what opens its secrets (sdk/go/common/workspace/project.go).
_KEYS: Final = ("encryptionsalt", "encryptedkey", "secretsprovider")


def require_cli() -> None:
    """Raise UsageError, saying what to install, where there is no `pulumi` on PATH."""
    if shutil.which("pulumi") is None:
        raise UsageError(
            "the Pulumi CLI is not installed: there is no `pulumi` on PATH; nothing was changed",
            hint="install it from https://www.pulumi.com/docs/install/ (for instance"
            " `curl -fsSL https://get.pulumi.com | sh`) and open a new shell;"
            " `-s local` on the embedded engine works without it",
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
        **for_programs(),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The interpreter that has this package, unless the program names a virtual environment.
        "PULUMI_PYTHON_CMD": os.environ.get("PULUMI_PYTHON_CMD", sys.executable),
        # It asks that interpreter this and that by `-c` and `-m`, in the program's folder.
        python_child.SAFE_PATH: "1",
        "PYTHONPATH": os.pathsep.join([plugin_path.__path__[0], *python_child.path()]),
    }
    if target.stack != LOCAL:
        if os.environ.get(_DEBUG):
            raise UsageError(
                f"{_DEBUG} is set: the stack {target.stack} would be deployed to an emulated cloud",
                hint=f"unset {_DEBUG}",
            )
        assert _DEBUG not in common
        yield common | _own_backend(target)
        return
    from mlops_iac.emulators import plugin

    folder = local_folder(target)
    with contextlib.ExitStack() as running:
        root = target.program.resolve()
        servers = [running.enter_context(plugin.serve(p, root)) for p in providers.values()]
        served = ",".join(server.environment[_DEBUG] for server in servers)
        yield {
            **common,
            _DEBUG: served,
            _BACKEND: folder.resolve().as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": _passphrase(folder),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


def _own_backend(target: StackTarget) -> dict[str, str]:
    """Where the blueprint says that the state is kept; nothing where it leaves that to the user."""
    if not target.backend:
        return {}
    other = os.environ.get(_BACKEND)
    if other and other != target.backend:
        raise UsageError(
            f"the state of {target.stack} is kept in {target.backend}, says the blueprint,"
            f" and {_BACKEND} names another backend; nothing was changed",
            hint=f"unset {_BACKEND}, or change `state.backend`",
        )
    return {_BACKEND: target.backend}


def local_folder(target: StackTarget) -> Path:
    """The backend of `local`. Raises MlopsError if it cannot be made."""
    folder = target.work / "pulumi"
    try:
        made(target.work)
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise MlopsError(f"cannot write to {folder}: {error.strerror}") from error
    return folder


def _passphrase(folder: Path) -> str:
    file = folder / "passphrase"
    if not file.exists():
        write_durably(file, secrets.token_urlsafe(32).encode())
    return file.read_text()


def write_config(target: StackTarget, *, key: Mapping[str, Any] | None = None) -> Path:
    """A copy of `Pulumi.<stack>.yaml` with the target's configuration; returns its path.

    `key` are the settings of another stack that shall be used, with what opens its secrets.

    The project's own file is not ours alone and stays as it is. Of its keys, ours (the project's
    namespace) and the providers' are replaced by the target's; foreign keys and encrypted values
    are kept. Raises UsageError for a file that is no mapping, and for encrypted values with another `key`.
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
    config = {name: value for name, value in theirs.items() if not _ours(name, target)}
    for name, value in sorted(target.config.items()):
        encrypted = theirs.get(name)
        if isinstance(encrypted, dict) and "secure" in encrypted:
            config[name] = encrypted
        elif name in target.secret_keys:
            raise UsageError(
                f"the secret {name} has no encrypted value for the stack {target.stack}",
                hint=f"pulumi config set --secret --stack {target.stack} {name}",
            )
        elif value is not None:
            config[name] = value
    if key is not None:
        kept = {name: value for name, value in settings.items() if name not in _KEYS}
        settings = kept | {name: value for name, value in key.items() if name in _KEYS}
        if _encrypted(config):
            raise UsageError(
                f"the stack {target.stack} does not exist yet, and only its key opens its secrets",
                hint=f"pulumi stack init {target.stack}, in {target.program.name}/",
            )
    settings["config"] = config
    file = target.work / "pulumi" / "config" / f"Pulumi.{target.stack}.yaml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, yaml.safe_dump(settings, sort_keys=True).encode())
    except OSError as error:
        raise MlopsError(f"cannot write {file}: {error.strerror}") from error
    return file


def _encrypted(value: Any) -> bool:
    match value:
        case {"secure": _}:
            return True
        case dict():
            return any(_encrypted(item) for item in value.values())
        case list():
            return any(_encrypted(item) for item in value)
        case _:
            return False


def _ours(key: str, target: StackTarget) -> bool:
    packages = {name.partition(":")[0] for name in target.config} - {"pulumi"}
    return key == AUTONAMING or key.partition(":")[0] in {target.project, *packages}
