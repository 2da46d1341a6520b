"""The files of a Pulumi project around its program."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

from mlops_iac.clouds import registry

# What a generated program runs with: the version this release was tested against, and so the same
# on every machine; its cloud says which SDKs. A unit test keeps them equal to the `dev` extra's.
PULUMI_VERSION = "3.272.0"


@cache
def own_version() -> str:
    """The version of this package."""
    return version("mlops-iac")


def pulumi_yaml(name: str, description: str) -> bytes:
    """`Pulumi.yaml`. Without a virtualenv option: the program runs in the active environment."""
    # `123`, `1e5`, `true` or `a.b` would be read as something else, or might be.
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)+|[a-z]{6,}", name)
    lines = [f"name: {name}" if plain else f"name: {json.dumps(name)}"]
    if description:
        lines.append(f"description: {json.dumps(description, ensure_ascii=False)}")
    lines += ["runtime:", "  name: python", "  options:", "    toolchain: pip"]
    return text(lines)


def requirements(clouds: Sequence[str], *, ours: bool = True) -> bytes:
    """`requirements.txt`, pinned; without this package where the program imports nothing of it."""
    found = [registry.cloud(name) for name in clouds]
    extras = ",".join(filter(None, (each.access.software.extra for each in found)))
    lines = [f"mlops-iac{f'[{extras}]' if extras else ''}=={own_version()}"] if ours else []
    lines.append(f"pulumi=={PULUMI_VERSION}")
    for cloud in found:
        lines += [f"{sdk}=={tested}" for sdk, tested in cloud.sdks.items()]
    return text(lines)


def gitignore() -> bytes:
    """`.gitignore`: what running the program leaves behind."""
    return text(["__pycache__/", "venv/", ".venv/", "*.mlops-iac~"])


def readme(
    title: str,
    source: str,
    stacks: Sequence[str],
    provenance: str,
    guide: str = "",
    *,
    ejected: bool = False,
) -> bytes:
    """`README.md`: what lies here and how to run it, and what the platform says about it."""
    real = [stack for stack in stacks if stack != "local"] or list(stacks)
    lines = [
        f"# {title}",
        "",
        f"A Pulumi program. {provenance}",
        f"Change `{source}` and run `mlops-iac compile`; what is changed here by hand is lost, but for",
        f"your own keys in `Pulumi.<stack>.yaml`{' and the copies in `components/`' * ejected}.",
        "",
        f"Stacks: {', '.join(f'`{stack}`' for stack in stacks)}.",
        "",
        "`mlops-iac up` runs it. So does plain Pulumi:",
        "",
        "```sh",
        "python -m venv .venv && . .venv/bin/activate",
        "pip install -r requirements.txt",
        f"pulumi stack init {real[0]}  # once",
        f"pulumi up --stack {real[0]}",
        "```",
    ]
    if guide:
        lines += ["", guide.strip()]
    return text(lines)


def text(lines: Sequence[str]) -> bytes:
    """Lines as the bytes of a text file."""
    return ("\n".join(lines) + "\n").encode()
