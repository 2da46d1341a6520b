"""The stacks that a Pulumi backend keeps of one project: what there is, its state, its tags, its end.

Nothing here runs a program or needs one on disk: a folder with nothing but `Pulumi.yaml` tells the
CLI which project is meant, and it is gone afterwards. So a fresh checkout sees what another machine
deployed, whatever its blueprint says today.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from mlops_iac.engine import pulumi_workspace as workspace
from mlops_iac.engine.protocol import OnEvent, Plan, Result, StackTarget
from mlops_iac.engine.pulumi_errors import explained, missing
from mlops_iac.engine.pulumi_events import EventLog
from mlops_iac.engine.pulumi_interrupt import in_order
from mlops_iac.errors import MlopsError
from mlops_iac.records import Record
from mlops_iac.values import Properties, Secret

# A backend of files is read while another process writes to it, and half a file is no answer: the
# file of a state's attributes is not replaced but written (gocloud.dev blob/fileblob/attrs.go).
_TORN = re.compile(r"\bEOF$|unexpected end of JSON input")
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds


class Listed(Record):
    """A stack as the backend lists it. `updated` is ISO 8601, empty before its first update."""

    name: str
    updated: str = ""
    busy: bool = False


class Backend:
    """A context manager. `url` is the backend's; empty for the one the user is logged in to.

    Methods raise AuthenticationError where nobody is logged in, StackNotFound, MlopsError.
    """

    def __init__(self, project: str, url: str = "") -> None:
        self._project = project
        self._url = url
        self._ending = contextlib.ExitStack()
        self._folder = Path()
        self._variables: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Raises UsageError where there is no CLI."""
        workspace.require_cli()
        with contextlib.ExitStack() as ending:
            root = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="mlops-iac-")))
            self._folder = root.resolve()
            project = {
                "name": self._project,
                "runtime": {"name": "python", "options": {"toolchain": "pip"}},
            }
            (self._folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
            target = StackTarget(
                self._folder,
                self._project,
                f"{self._project}/*",
                {},
                self._folder,
                "",
                backend=self._url,
            )
            self._variables = ending.enter_context(workspace.environment(target, {}))
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def stacks(self) -> list[Listed]:
        """Every stack of the project, by name."""
        found = json.loads(self._read("stack", "ls", "--json") or "[]")
        return sorted(
            (
                Listed(
                    # A service's other organisations stand before the name.
                    name=item["name"].rpartition("/")[2],
                    updated=item.get("lastUpdate") or "",
                    busy=bool(item.get("updateInProgress")),
                )
                for item in found
            ),
            key=lambda item: item.name,
        )

    def export(self, stack: str) -> dict[str, Any]:
        """The stack's deployment as the engine gives it, with secrets as ciphertext."""
        answer = self._read("stack", "export", "--stack", stack)
        data: dict[str, Any] = json.loads(answer)
        return data

    def tags(self, stack: str) -> dict[str, str]:
        """The stack's own tags; none where the backend keeps none."""
        try:
            answer = json.loads(self._read("stack", "tag", "ls", "--json", "--stack", stack))
        except MlopsError as error:
            if type(error) is MlopsError and not _TORN.search(error.message):
                return {}  # it has the stack, and no tags
            raise
        return {str(key): str(value) for key, value in (answer or {}).items()}

    def tag(self, stack: str, tags: Mapping[str, str]) -> None:
        """Set tags of the stack. Raises MlopsError where the backend keeps none."""
        for key, value in tags.items():
            self._run("stack", "tag", "set", key, value, "--stack", stack)

    def make(self, stack: str, program: Path, secrets_provider: str = "") -> None:
        """Make the stack unless it is there; the folder's `Pulumi.<stack>.yaml` gets its key."""
        from mlops_iac.engine import pulumi_stack

        aim = StackTarget(
            program, self._project, stack, {}, program, "", secrets_provider=secrets_provider
        )
        _call(lambda: pulumi_stack.made(aim, self._variables))

    def outputs(self, stack: str) -> Properties:
        """The stack's outputs, secrets wrapped."""
        shown = _call(lambda: self._stack(stack).outputs())
        return {k: Secret(v.value) if v.secret else v.value for k, v in shown.items()}

    def plan_destroy(self, stack: str) -> Plan:
        """What `destroy` would delete, from the state alone."""
        log = EventLog()
        _call(lambda: self._stack(stack).preview_destroy(on_event=log.hear), log)
        return Plan(
            stack=stack,
            project=self._project,
            engine="pulumi",
            against="live",
            steps=tuple(log.steps),
            diagnostics=tuple(log.diagnostics),
        )

    def destroy(self, stack: str, *, on_event: OnEvent | None = None) -> Result:
        """Delete what the state holds, with the providers as they stand in it; no program runs.

        Failed resources are in the result.
        """
        log = EventLog(on_event)
        try:
            _call(lambda: self._stack(stack).destroy(on_event=log.hear, show_secrets=False), log)
        except MlopsError:
            if not log.failures:
                raise
        return Result(steps=tuple(log.steps), failures=log.failed_resources())

    def remove(self, stack: str) -> None:
        """Remove the stack, which holds no resources any more. Raises MlopsError if it does."""
        self._run("stack", "rm", "--stack", stack, "--yes")

    # -- inside ------------------------------------------------------------------------------
    def _stack(self, stack: str) -> Any:
        from mlops_iac.engine import pulumi_stack

        aim = StackTarget(self._folder, self._project, stack, {}, self._folder, "")
        found = pulumi_stack.found(aim, self._variables)
        if found is None:
            raise missing(stack)
        return found

    def _read(self, *arguments: str) -> str:
        for pause in _PAUSES:
            try:
                return self._run(*arguments)
            except MlopsError as error:
                if not _TORN.search(error.message):
                    raise
            time.sleep(pause)
        return self._run(*arguments)

    def _run(self, *arguments: str) -> str:
        from mlops_iac.engine.pulumi_stack import command

        def run() -> str:
            ran = command().run(list(arguments), str(self._folder), self._variables)
            return str(ran.stdout)

        at = arguments.index("--stack") + 1 if "--stack" in arguments else 0
        return str(_call(run, stack=arguments[at]))


def _call(call: Callable[[], Any], log: EventLog | None = None, stack: str = "") -> Any:
    from pulumi import automation

    try:
        with in_order():
            return call()
    except automation.StackNotFoundError:
        raise missing(stack) from None
    except (automation.CommandError, automation.InvalidVersionError) as error:
        raise explained(error, log.errors if log else ()) from error
