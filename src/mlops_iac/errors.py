"""Everything a user can be told went wrong.

    MlopsError                    exit 1
    ├── UsageError                exit 2    a flag, a file or a blueprint is not as it must be
    │   ├── BlueprintInvalid      exit 2    carries every diagnostic of one pass
    │   └── NotDeployed           exit 2    what would run is not what the blueprint says now
    ├── AuthenticationError       exit 3
    ├── ResourceFailed            exit 4    a resource could not be created, changed or deleted
    │   └── ScriptFailed          exit 4    a script of a pipeline's step
    ├── PolicyViolation           exit 5
    ├── StackNotFound             exit 6
    ├── UnexpectedChanges         exit 7    changes under --expect-no-changes
    ├── Cancelled                 exit 8
    ├── TimedOut                  exit 9
    └── PlanMoved                 exit 1    what would be done is not what the saved plan says

The exit codes are Pulumi's. Anything else that escapes is a bug and exits with 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell about one place of a user's file.

    `line` and `column` count from 1; 0 means the whole file. `length` is the number of
    characters to underline. `path` is the blueprint path (`serving.api.compute.size`).
    """

    code: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    length: int = 1
    path: str = ""
    hint: str = ""
    snippet: str = ""
    severity: Severity = "error"


class MlopsError(Exception):
    """Base of every error shown to a user: what went wrong, and what to do about it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MlopsError):
    """A flag, a file or the configuration is not as it must be; nothing was done.

    `path` is the blueprint path that is to blame, where one is.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", path: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class BlueprintInvalid(UsageError):
    """The blueprint has problems; all that one pass could find are in `diagnostics`."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        first = diagnostics[0]
        super().__init__(f"{len(diagnostics)} problem(s) in the blueprint: {first.message}")
        self.diagnostics = tuple(diagnostics)


class NotDeployed(UsageError):
    """What would run is not what the blueprint gives now. `differences` are sentences about it."""

    def __init__(self, message: str, differences: Sequence[str], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.differences = tuple(differences)


class AuthenticationError(MlopsError):
    """Credentials are missing or refused."""

    exit_code = 3


class ResourceFailed(MlopsError):
    """One or more resources could not be created, changed or deleted; the state is kept."""

    exit_code = 4


class ScriptFailed(ResourceFailed):
    """A script of a step failed. The message ends with the last lines of its log, `short` does not.

    `reason` says why, in one line.
    """

    def __init__(self, what: str, lines: Sequence[str], log: object, reason: str) -> None:
        last = "\n".join(f"  {line}" for line in lines)
        super().__init__(f"{what} failed; its log ends with\n{last}", hint=f"whole log: {log}")
        self.short = f"{what} failed"
        self.reason = reason


class PolicyViolation(MlopsError):
    """A mandatory guard rail is broken."""

    exit_code = 5


class StackNotFound(MlopsError):
    """The named stack is neither an environment of the blueprint nor `local`."""

    exit_code = 6


class UnexpectedChanges(MlopsError):
    """`--expect-no-changes` was given and there are changes."""

    exit_code = 7


class Cancelled(MlopsError):
    """The user said no, or interrupted; what was done so far is kept in the state."""

    exit_code = 8


class TimedOut(MlopsError):
    """Something outside did not answer in time."""

    exit_code = 9


class PlanMoved(MlopsError):
    """What would be done is not what the saved plan says. `moves` names everything that differs."""

    def __init__(self, moves: Sequence[str], *, begun: bool = False) -> None:
        more = f"; and {len(moves) - 3} more" if len(moves) > 3 else ""
        done = "what was done so far is kept" if begun else "nothing was done"
        super().__init__(
            f"this is not what was planned, {done}: {'; '.join(moves[:3])}{more}",
            hint="preview again, save the plan, and have it reviewed",
        )
        self.moves = tuple(moves)
