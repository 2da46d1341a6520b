"""A stack of the real engine: found without selecting it, made for a deployment, or only tried.

`pulumi stack select` changes which stack the user's own `pulumi` acts on, so nothing here selects;
every later call names its stack. A preview of a stack that does not exist yet runs in a backend
that is thrown away: a stack that nobody confirmed must not appear in the user's.
"""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import yaml
from pulumi import automation

from mlops_iac.engine import pulumi_workspace as workspace
from mlops_iac.engine.protocol import StackTarget

_SECRET = "[secret]"  # noqa: S105 - what the CLI shows in the place of one


class _Unselected(automation.LocalWorkspace):
    """A workspace that leaves the user's selected stack alone."""

    def select_stack(self, stack_name: str) -> None:
        """Only ask whether the stack is there, by what opens neither its state nor its secrets."""
        latest = ("--page", "1", "--page-size", "1")
        self._pulumi("stack", "history", "--json", *latest, "--stack", stack_name)

    def create_stack(self, stack_name: str) -> None:
        """Make the stack in the backend; the program's `Pulumi.<stack>.yaml` gets its salt."""
        under = ("--secrets-provider", self.secrets_provider) if self.secrets_provider else ()
        self._pulumi("stack", "init", "--no-select", "--stack", stack_name, *under)

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:
        """As in the SDK, which opens secrets also where there are none."""
        shown = self._pulumi("stack", "output", "--json", "--stack", stack_name)
        if _SECRET in shown:
            return super().stack_outputs(stack_name)
        return {
            key: automation.OutputValue(value, False) for key, value in json.loads(shown).items()
        }

    def _pulumi(self, *arguments: str) -> str:
        ran = self.pulumi_command.run(list(arguments), self.work_dir, dict(self.env_vars))
        return str(ran.stdout)


class _Unasked(_Unselected):
    """Of a stack that is there, or whose absence the first command tells."""

    def select_stack(self, stack_name: str) -> None:
        pass


def named(target: StackTarget, variables: Mapping[str, str]) -> automation.Stack:
    """The stack, whether or not it is there: what is done with it raises StackNotFoundError."""
    return automation.Stack.select(
        target.stack, _workspace(target.program, variables, kind=_Unasked)
    )


def found(target: StackTarget, variables: Mapping[str, str]) -> automation.Stack | None:
    """The stack, or None where the backend has none of that name. Raises CommandError."""
    try:
        return automation.Stack.select(target.stack, _workspace(target.program, variables))
    except automation.StackNotFoundError:
        return None


def made(target: StackTarget, variables: Mapping[str, str]) -> automation.Stack:
    """The stack, made in the backend where it was missing. Raises CommandError."""
    workspace_ = _workspace(target.program, variables, target.secrets_provider)
    return automation.Stack.create_or_select(target.stack, workspace_)


@contextlib.contextmanager
def tried(
    target: StackTarget, variables: Mapping[str, str]
) -> Iterator[tuple[automation.Stack, Path]]:
    """An empty stack in a backend of its own, with its configuration; gone with the context.

    It is made from a copy of the project file, because `stack init` writes a salt beside it.
    Raises UsageError for encrypted configuration, which only the stack's own key opens.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-iac-") as folder:
        root = Path(folder).resolve()
        project, backend = root / "project", root / "backend"
        project.mkdir()
        backend.mkdir()
        shutil.copy(target.program / "Pulumi.yaml", project)
        throwaway = {
            **variables,
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(32),
        }
        made(replace(target, program=project, secrets_provider=""), throwaway)
        key = (project / f"Pulumi.{target.stack}.yaml").read_text(encoding="utf-8")
        config = workspace.write_config(
            replace(target, work=root / "work"), key=yaml.safe_load(key)
        )
        yield named(target, throwaway), config


def _workspace(
    program: Path,
    variables: Mapping[str, str],
    secrets_provider: str = "",
    kind: type[_Unselected] = _Unselected,
) -> automation.LocalWorkspace:
    return kind(
        work_dir=str(program.resolve()),
        env_vars=dict(variables),
        secrets_provider=secrets_provider or None,
        pulumi_command=command(),
    )


@functools.cache
def command() -> automation.PulumiCommand:
    """The CLI on PATH, asked for its version once. Raises InvalidVersionError."""
    return automation.PulumiCommand()


__all__ = ["command", "found", "made", "named", "tried"]
