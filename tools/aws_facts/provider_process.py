"""Finds the AWS provider's binary, runs it, and asks it for schemas and plans. No network, no keys.

A plan is asked of the provider directly (`PlanResourceChange`), as `terraform plan` does after its
own validation. So each property is probed alone, with values that need not pass validation, a
thousand of them in seconds, where a run of terraform takes three.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import msgpack

from .protocol import MESSAGES

ADDRESS = "registry.terraform.io/hashicorp/aws"
MIRROR_VARIABLE = "MLOPS_IAC_TERRAFORM_MIRROR"
# The cookie by which a provider knows that terraform, not a person, started it.
_COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
_LIMIT = [("grpc.max_receive_message_length", -1)]
UNKNOWN = msgpack.ExtType(0, b"\x00")


class ProviderMissing(Exception):
    """No provider binary of that version was found."""


class PlanRefused(Exception):
    """The provider answered a plan with errors, or died over it."""


def mirrors() -> Iterator[Path]:
    """Folders in which terraform keeps providers, the explicit one first."""
    if os.environ.get(MIRROR_VARIABLE):
        yield Path(os.environ[MIRROR_VARIABLE])
        return
    config = Path(os.environ.get("TF_CLI_CONFIG_FILE", "~/.terraformrc")).expanduser()
    if config.is_file():
        for match in re.finditer(r'^\s*path\s*=\s*"([^"]+)"', config.read_text("utf-8"), re.M):
            yield Path(match[1])
    if os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(os.environ["TF_PLUGIN_CACHE_DIR"])
    yield Path("~/.terraform.d/plugins").expanduser()
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")
    # A mirror that an image was built with, wherever near the root its author put it.
    for found in sorted(Path("/").glob(f"*/*/{ADDRESS}")):
        yield found.parents[2]


def find_provider(version: str) -> Path:
    """The binary of that version. Raises ProviderMissing naming where it was looked for."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    target = f"{platform.system().lower()}_{machine}"
    looked = []
    for mirror in mirrors():
        folder = mirror / ADDRESS / version / target
        looked.append(str(mirror))
        for binary in sorted(folder.glob("terraform-provider-aws*")):
            return binary
    raise ProviderMissing(
        f"no hashicorp/aws {version} for {target} in {', '.join(looked)}; "
        f"set {MIRROR_VARIABLE} to a filesystem mirror that has it"
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """`planned` is the state after applying; `replaces` the paths, without indices, that force it."""

    planned: Any
    replaces: frozenset[str]


class AwsProvider:
    """One running provider, configured with keys that open nothing. A context manager."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._config: Any = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def _start(self) -> None:
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_"))
        }
        environment |= {
            "TF_PLUGIN_MAGIC_COOKIE": _COOKIE,
            "PLUGIN_PROTOCOL_VERSIONS": "5",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._process = subprocess.Popen(
            [self._binary], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        fields = line.strip().split("|")
        if len(fields) < 5 or fields[1] != "5":
            raise ProviderMissing(f"{self._binary} does not speak plugin protocol 5: {line!r}")
        address = f"unix:{fields[3]}" if fields[2] == "unix" else fields[3]
        self._channel = grpc.insecure_channel(address, options=_LIMIT)
        if self._config is not None:
            self.configure(self._config)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._channel.close()
        self._process.terminate()
        self._process.wait()

    def _call(self, method: str, request: Any, response: str) -> Any:
        call = self._channel.unary_unary(
            f"/tfplugin5.Provider/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=MESSAGES[response].FromString,
        )
        try:
            answer = call(request, timeout=120)
        except grpc.RpcError as error:
            # The provider panicked over what its validation would have refused: start another.
            self._stop()
            self._start()
            raise PlanRefused(f"{method}: {error.details()}") from error
        problems = [f"{d.summary}: {d.detail}" for d in answer.diagnostics if d.severity == 1]
        if problems:
            raise PlanRefused("; ".join(problems))
        return answer

    def schemas(self) -> tuple[Any, Mapping[str, Any]]:
        """The provider's own configuration block, and every resource's block by Terraform name."""
        answer = self._call("GetSchema", MESSAGES["SchemaRequest"](), "SchemaResponse")
        return answer.provider.block, {e.key: e.value.block for e in answer.resource_schemas}

    def configure(self, config: Any) -> None:
        """Configure with every check of account, region and credentials left out."""
        self._config = config
        request = MESSAGES["ConfigureRequest"](terraform_version="1.11.4", config=encode(config))
        self._call("Configure", request, "ConfigureResponse")

    def plan(self, tf_name: str, prior: Any, config: Any, proposed: Any) -> Plan:
        """Plan from `prior` to `config`; None as `prior` plans a creation. Raises PlanRefused."""
        request = MESSAGES["PlanRequest"](
            type_name=tf_name,
            prior_state=encode(prior),
            proposed_new_state=encode(proposed),
            config=encode(config),
        )
        answer = self._call("PlanResourceChange", request, "PlanResponse")
        planned = msgpack.unpackb(answer.planned_state.msgpack, strict_map_key=False)
        return Plan(planned, frozenset(_path(path) for path in answer.requires_replace))


def encode(value: Any) -> Any:
    """A value as the protocol carries it."""
    return MESSAGES["DynamicValue"](msgpack=msgpack.packb(value))


def _path(path: Any) -> str:
    return ".".join(step.attribute_name for step in path.steps if step.attribute_name)
