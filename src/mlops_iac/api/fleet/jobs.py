"""What is done with one blueprint, in a worker process. Whatever goes wrong is its outcome."""

from __future__ import annotations

import importlib
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mlops_iac.api.fleet.model import Identity, Outcome, StackOutcome, worst
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds import registry
from mlops_iac.clouds.software import install
from mlops_iac.errors import BlueprintInvalid, Diagnostic, MlopsError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.project import Project

INTERNAL = 255


class Job(Record):
    """One command for every blueprint. `stack` restricts it to stacks of that name."""

    stack: str = ""

    def warm(self) -> None:
        """Import what every worker needs, before there is any. Raises ImportError."""
        importlib.import_module("mlops_iac.api.project")

    def prepared(self, files: Sequence[Path]) -> Self:
        """The job as workers get it: with what has to be known before the first of them begins."""
        return self

    def do(self, file: Path) -> Outcome | None:
        """Work on one blueprint; None where it has no stack of that name. Raises nothing."""
        shown = file.as_posix()
        try:
            return self._do(file, shown)
        except BlueprintInvalid as error:
            return Outcome(shown, state="invalid", exit_code=2, problems=error.diagnostics)
        except MlopsError as error:
            return failure(shown, error.message, error.hint, code=error.exit_code)
        except ModuleNotFoundError as error:
            hint = f"{install(error.name or '')}; validate works without it".removeprefix("; ")
            return failure(shown, f"this needs {error.name}, which is not installed", hint, code=2)
        except MemoryError:
            return failure(shown, "there was not enough memory for it", _MEMORY)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            return failure(shown, f"{place}{error.strerror or error}", "make room or give access")
        except RecursionError:
            return failure(shown, "it is nested too deeply", "look at its aliases and overrides")
        except Exception as error:
            message = f"internal error: {type(error).__name__}: {error}{_where(error)}"
            hint = f"this is a bug in mlops-iac; `mlops-iac -v -f {shown} …` tells more to report"
            return failure(shown, message, hint, code=INTERNAL)

    def _do(self, file: Path, shown: str) -> Outcome | None:
        raise NotImplementedError

    def _stacks(self, project: BaseProject) -> list[str]:
        """The environments meant: the one of that name, or all but `local`."""
        names = [name for name in project.environments if name != "local"]
        return (
            [name for name in project.environments if name == self.stack] if self.stack else names
        )


_MEMORY = "give it more, or look at what its policies and its program do"


def failure(shown: str, message: str, hint: str = "", *, code: int = 1) -> Outcome:
    """The outcome of a blueprint that could not be worked on."""
    problem = Diagnostic("failed", message, file=shown, hint=hint)
    return Outcome(shown, state="failed", exit_code=code, problems=[problem])


def _where(error: Exception) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f" ({last.tb_frame.f_globals.get('__name__', '?')}:{last.tb_lineno})" if last else ""


def identities(project: BaseProject) -> list[Identity]:
    """What the project's environments are in the world."""
    found = []
    for stack in project.environments:
        if stack == "local":
            continue
        resolved = project.resolve(stack)
        account = resolved.blueprint.account
        place = resolved.diagnostic("name", "", "", at_key=True)
        found.append(
            Identity(
                name=project.name,
                stack=stack,
                account="" if account is None else str(account),
                region=project.region(stack),
                backend=project.backend(stack),
                place=place,
            )
        )
    return found


class Validate(Job):
    """`validate`: every problem in every environment. `strict` also names what production lacks."""

    strict: bool = False

    def _do(self, file: Path, shown: str) -> Outcome | None:
        from mlops_iac.api.compile.checks import inspected

        project, problems = inspected(file, strict=self.strict)
        errors = sum(item.severity == "error" for item in problems)
        code = 2 if errors else 0
        if project is None:
            return Outcome(shown, "", "invalid", code, problems=problems)
        if self.stack and self.stack not in project.environments:
            return None
        state = "invalid" if errors else "valid"
        return Outcome(
            shown,
            project.name,
            state,
            code,
            stacks=[StackOutcome(stack, state, code) for stack in self._stacks(project)],
            problems=problems,
            notes=list(project.notes),
            identities=identities(project),
        )


_PROGRAM_MODULES = (
    "mlops_iac.api.compile.captures",
    "mlops_iac.api.compile.guard_rail_checks",
    "mlops_iac.program.write",
    "mlops_iac.graph.lock",
    "mlops_iac.engine.embedded.capture",
    "mlops_iac.engine.embedded.monitor",
)


class _WithProgram(Job):
    def warm(self) -> None:
        from mlops_iac.engine.embedded import lazy_sdk

        # Before the SDK: what is imported without it loads every resource of every service.
        lazy_sdk.install()
        clouds = [module for each in registry.clouds() for module in each.access.software.warm]
        for module in (*_PROGRAM_MODULES, *clouds):
            importlib.import_module(module)

    def _do(self, file: Path, shown: str) -> Outcome | None:
        from mlops_iac.api.project import load

        project = load(file)
        if self.stack and self.stack not in project.environments:
            return None
        outcome = self._with(project, shown)
        whole = {
            **vars(outcome),
            "name": project.name,
            "identities": identities(project),
            "notes": [*outcome.notes, *project.notes],
        }
        project.let_go()
        return Outcome(**whole)

    def _with(self, project: Project, shown: str) -> Outcome:
        raise NotImplementedError


class Compile(_WithProgram):
    """`compile`: programs, configuration and locks. `check` writes nothing and tells what is stale.

    A program is one for all environments, so that `stack` only chooses among blueprints.
    """

    check: bool = False
    # Blueprint's folder → folder of programs: a `stacks` that one makes is not another one's.
    programs: Mapping[Path, Path] = {}

    def prepared(self, files: Sequence[Path]) -> Self:
        from mlops_iac.api.core.project import program_folder

        folders = {file.absolute().parent for file in files}
        programs = {folder: program_folder(folder, "x").parent for folder in folders}
        return type(self)(**{**vars(self), "programs": programs})

    def folder(self, file: Path, name: str) -> Path:
        """Where the program of a blueprint goes."""
        return self.programs[file.absolute().parent] / name

    def _with(self, project: Project, shown: str) -> Outcome:
        out = self.folder(project.path, project.name)
        if self.check:
            reasons = project.stale(out)
            state, code = ("stale", 1) if reasons else ("fresh", 0)
            problems = [_stale(shown, reasons)] if reasons else []
            return Outcome(shown, "", state, code, self._states(project, state), problems)
        compiled = project.compile(out)
        state = "written" if compiled.written else "unchanged"
        where = os.path.relpath(compiled.out)
        notes = [f"{len(compiled.written)} file(s) in {where}"] if compiled.written else []
        notes += compiled.notes
        return Outcome(shown, "", state, 0, self._states(project, state), notes=notes)

    def _states(self, project: Project, state: str) -> list[StackOutcome]:
        return [StackOutcome(stack, state) for stack in self._stacks(project)]


def _stale(shown: str, reasons: Sequence[str]) -> Diagnostic:
    """One problem for one blueprint: a program that was never compiled has a dozen reasons."""
    hint = f"run `mlops-iac compile -f {shlex.quote(shown)}` and commit"
    return Diagnostic("stale", listed(reasons, most=3), file=shown, hint=hint)


class Preview(_WithProgram):
    """`preview` of every stack against its lock, or against a git ref; needs no credentials.

    `policies` checks the guard rails too, `own` those of the team, whose code runs then.
    `none_expected` makes a change a failure.
    """

    against: str = ""
    policies: bool = False
    own: bool = True
    none_expected: bool = False

    def _with(self, project: Project, shown: str) -> Outcome:
        from mlops_iac.api.fleet.previews import previews

        found = previews(project, self._real(project), self)
        changed = [each for each in found if each.changes]
        code = worst(each.exit_code for each in found)
        state = "changes" if changed else "no changes"
        return Outcome(shown, "", state, code, found)

    def _real(self, project: Project) -> list[str]:
        return [name for name in self._stacks(project) if name != "local"]


class Policies(_WithProgram):
    """`policy check` of every stack; of `local` where a blueprint has no other one."""

    own: bool = True

    def _with(self, project: Project, shown: str) -> Outcome:
        from mlops_iac.api.fleet.previews import checked

        found = checked(project, self._stacks(project) or ["local"], own=self.own)
        code = worst(each.exit_code for each in found)
        return Outcome(shown, "", "broken" if code else "kept", code, found)
