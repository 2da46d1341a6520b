"""A team's own rules: Python files in `policies/` beside the blueprint.

Each file holds one rule, `RULE`, whose id is the file's name with hyphens:

    # policies/no_friday_trainings.py
    from mlops_iac.policy import Rule, Violation

    def check(context):
        for each in context.resources:
            if "FRI" in str(each.inputs.get("scheduleExpression")):
                yield Violation("it trains on a Friday", each)

    RULE = Rule(id="no-friday-trainings", title=…, severity="advisory", why=…,
                remediation=…, source="our handbook", check=check)

They are code and run with the rights of whoever runs them, so nothing loads them but a command
that says so; names are known without that. The same holds for the rules of a template, which are
files in its `policies/`.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Final

from mlops_iac.blueprint.reach import Reach
from mlops_iac.errors import UsageError
from mlops_iac.policy.model import Parameter, Rule

FOLDER: Final = "policies"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file that holds a rule, not run yet. `label` is that of the template that brings it."""

    name: str
    code: bytes
    path: str
    label: str = ""

    @property
    def id(self) -> str:
        """The id that its rule must have."""
        return _id(self.name)

    @property
    def shown(self) -> str:
        """What messages call it."""
        return f"{self.label}/{FOLDER}/{self.name}" if self.label else f"{FOLDER}/{self.name}"


def files(root: Path, reach: Reach | None = None) -> list[Path]:
    """The files of rules beside a blueprint, sorted; `_helpers.py` and the like are not rules.

    `reach` is that of the blueprint. Raises Outside where one of them leads out of it.
    """
    reach = reach or Reach.around(root)
    folder = root / FOLDER
    reach.inside(folder, FOLDER)
    if not folder.is_dir():
        return []
    if not any(folder.iterdir()):
        # As a submodule that was not fetched: rules that are not there would pass everything.
        raise UsageError(
            f"{FOLDER}/ is empty: its rules are not here",
            hint="fetch it where it is a submodule (`git submodule update --init`), or remove it",
        )
    found = sorted(each for each in folder.glob("*.py") if not each.name.startswith("_"))
    for each in found:
        reach.inside(each, f"{FOLDER}/{each.name}")
    return found


def files_in(content: Mapping[str, bytes], label: str) -> list[RuleFile]:
    """The files of rules in a template (path → content), sorted."""
    found = []
    for path in sorted(content):
        folder, _, name = path.partition("/")
        is_rule = folder == FOLDER and name.endswith(".py") and not name.startswith("_")
        if is_rule and "/" not in name:
            found.append(RuleFile(name, content[path], f"{label}/{path}", label))
    return found


def ids(root: Path, reach: Reach | None = None) -> tuple[str, ...]:
    """The ids of a team's rules, without running any of them."""
    return tuple(_id(each.name) for each in files(root, reach))


def load(root: Path, taken: frozenset[str]) -> list[Rule]:
    """Run the files and return their rules.

    `taken` are ids of our own rules. Raises UsageError, with file and line, for what is no rule.
    """
    return load_files(
        [RuleFile(each.name, each.read_bytes(), str(each)) for each in files(root)],
        dict.fromkeys(taken, "ours"),
    )


def load_files(found: Sequence[RuleFile], taken: Mapping[str, str]) -> list[Rule]:
    """Run files and return their rules, those of templates with the template as their source.

    `taken` says of each id that there is whose it is. Raises UsageError as `load`.
    """
    known = dict(taken)
    made = []
    for each in found:
        made.append(_load(each, known))
        known[each.id] = each.label or "this team"
    return made


def _load(file: RuleFile, taken: Mapping[str, str]) -> Rule:
    shown, path = file.shown, file.path
    if file.id in taken:
        whose = taken[file.id]
        raise UsageError(
            f"{shown} has the name of a rule of {whose}, {file.id}", hint="call it otherwise"
        )
    module = ModuleType(f"mlops_iac_team_policies.{Path(file.name).stem}")
    module.__file__ = path
    try:
        # Not imported: that would leave bytecode beside the user's files.
        code = compile(file.code, path, "exec")
        exec(code, module.__dict__)  # noqa: S102 - the team's own code, and asked for
    except Exception as error:
        raise UsageError(
            f"{shown}{_line(error, path)} cannot be loaded: {type(error).__name__}: {error}",
            hint="mend it, or leave the team's rules out with --no-team-rules",
        ) from error
    rule = getattr(module, "RULE", None)
    if not isinstance(rule, Rule):
        raise UsageError(f"{shown} has no RULE", hint="RULE = Rule(id=…, title=…, …)")
    _check(rule, shown, file.id)
    if not file.label:
        return rule
    return replace(rule, source=f"{file.label} ({FOLDER}/{file.name}): {rule.source}")


def _check(rule: Rule, shown: str, wanted: str) -> None:
    if rule.id != wanted:
        raise UsageError(
            f"{shown} holds the rule {rule.id!r}; its name says {wanted!r}",
            hint="give both one name: exceptions are checked by it without running the file",
        )
    if rule.severity not in ("mandatory", "advisory"):
        raise UsageError(
            f"{shown}: {rule.severity!r} is not a severity", hint="'mandatory' or 'advisory'"
        )
    for key in ("title", "why", "remediation", "source"):
        if not getattr(rule, key).strip():
            raise UsageError(f"{shown}: {key} is empty", hint="say it: people will read it")
    for name, parameter in rule.parameters.items():
        if not isinstance(parameter, Parameter):
            raise UsageError(f"{shown}: the parameter {name!r} is no Parameter")


def crashed(rule: Rule, error: Exception) -> UsageError:
    """What to say when a rule's own code fails: it has not passed, so nothing goes on."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return UsageError(
        f"the rule {rule.id} failed at {Path(frame.filename).name}:{frame.lineno}: "
        f"{type(error).__name__}: {error}",
        hint="mend the rule; one that cannot be checked counts as broken",
    )


def _id(name: str) -> str:
    return name.removesuffix(".py").replace("_", "-")


def _line(error: Exception, path: str) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f":{error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    return f":{lines[-1]}" if lines else ""
