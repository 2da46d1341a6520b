"""What an emulated stack was deployed from, beside what the blueprint and the files beside it say now.

A run executes the pipeline that is deployed. What the state holds says whether that is still the one
that would be; the values of the blueprint are kept with it, so that it can be said why.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.errors import UsageError
from mlops_iac.graph.hidden import hidden
from mlops_iac.graph.shown import cut, shown_value
from mlops_iac.workfolder import write_durably

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.clouds.base import Runnable
    from mlops_iac.graph.plan import Plan, Step

_LONGEST = 60
_BLUEPRINT, _LIFECYCLES = "blueprint", "lifecycles"
_GONE = object()


def keep(project: BaseProject, stack: str) -> None:
    """Write down the values of the blueprint that a stack is deployed from, and its lifecycles."""
    for kind, value in (
        (_BLUEPRINT, _values(project, stack)),
        (_LIFECYCLES, _lifecycles(project, stack)),
    ):
        file = _file(project, stack, kind)
        text = json.dumps(value, indent=1).encode() + b"\n"
        if not file.is_file() or file.read_bytes() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_durably(file, text)


def lifecycle(project: BaseProject, stack: str, model: str, definition: str) -> Runnable:
    """The lifecycle that the deployed `definition` is printed of, to be run on this machine.

    It is the one that was kept, or today's: a deployment of single resources keeps nothing. Raises
    UsageError where it is neither.
    """
    platform, session = project.platform_of(stack), project.emulated_cloud.session(stack)
    kept = _kept(project, stack, _LIFECYCLES) or {}
    found = platform.deployed(kept.get(model), definition, session)
    if found is None:
        found = platform.deployed(_lifecycles(project, stack).get(model), definition, session)
    if found is not None:
        return found
    raise UsageError(
        f"the pipeline of {model} in {stack} is not one that this version of mlops-iac deployed",
        hint=f"run `mlops-iac up{'' if stack == LOCAL else f' -s {stack}'}`, which replaces it",
    )


def differences(
    project: BaseProject, plan: Plan, model: str, pipeline: str, definition: str
) -> list[str]:
    """Say what a run of the model would not take into account; nothing where it is deployed.

    One sentence for each value of the blueprint and each file, with its place, and where neither
    explains it, for each resource. `plan` is of an `up`, `definition` that of the deployed `pipeline`.
    """
    changed = [step for step in plan.changes if step.custom]
    steps = project.operations.read_by_run(changed, pipeline, definition)
    if not steps:
        return []
    told = [*_values_of(project, plan.stack, model), *_files(project, plan.stack, steps)]
    return told or [
        f"{step.type.split(':')[-1]} {step.name}: {_properties(step)}" for step in steps
    ]


def _values_of(project: BaseProject, stack: str, model: str) -> Iterator[str]:
    """The values that differ and that a run of the model can depend on, each with its line."""
    before = _kept(project, stack, _BLUEPRINT)
    if before is None:
        return
    resolved = project.resolve(stack)
    now = _values(project, stack)
    section = resolved.blueprint.models.get(model)
    datasets = (section.datasets if section else ()) or resolved.blueprint.datasets
    changed = [
        path for path in {**now, **before} if now.get(path, _GONE) != before.get(path, _GONE)
    ]
    within = (f"models.{model}.", f"serving.{model}.", *(f"datasets.{name}." for name in datasets))
    for path in [path for path in changed if path.startswith(within)] or changed:
        words = f"{path}: {_word(path, before)} → {_word(path, now)}"
        place = resolved.origin(path)
        yield f"{words}  ← {os.path.relpath(place.file)}:{place.line}" if place.line else words


def _word(path: str, values: Mapping[str, Any]) -> str:
    if path not in values:
        return "–"
    return cut(shown_value(hidden(path, values[path])), 0, _LONGEST)


def _files(project: BaseProject, stack: str, steps: Sequence[Step]) -> Iterator[str]:
    operations = project.operations
    for step in steps:
        source = operations.upload(step)
        if not source:
            continue
        if project.work not in Path(source).parents:  # a file of the user's, not packed code
            word = "has changed" if step.old_inputs else "is new"
            yield f"{os.path.relpath(source)} {word}"
            continue
        old = operations.uploaded(step, project.emulated_cloud.session(stack))
        if old is not None:  # else that the object differs is told all the same
            yield from _members(_code_folder(project, stack, source), old, Path(source))


def _code_folder(project: BaseProject, stack: str, archive: str) -> str:
    """The folder with the model's scripts, as seen from here."""
    model = project.resolve(stack).blueprint.models.get(Path(archive).name.partition(".")[0])
    return os.path.relpath(project.root / ((model.code if model else None) or ""))


def _members(folder: str, old: bytes, new: Path) -> Iterator[str]:
    """The files of two archives that differ, with the first line that does."""
    before, now = _unpacked(old), _unpacked(new.read_bytes())
    for name in sorted({*before, *now}):
        where = os.path.normpath(Path(folder, name))
        if name in now and not Path(where).is_file():
            where = f"{name}, which mlops-iac packs along,"
        if name not in before:
            yield f"{where} is new"
        elif name not in now:
            yield f"{where} is gone"
        elif before[name] != now[name]:
            lines = zip_longest(before[name].split(b"\n"), now[name].split(b"\n"))
            first = next((at for at, (a, b) in enumerate(lines, 1) if a != b), 1)
            binary = b"\0" in before[name] + now[name]
            at = "" if binary or where.endswith(",") else f":{first}"
            yield f"{where}{at} has changed"


def _unpacked(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {each.name: file.read() for each in archive if (file := archive.extractfile(each))}


def _properties(step: Step) -> str:
    return ", ".join(dict.fromkeys(change.path for change in step.changes)) or step.op


def _values(project: BaseProject, stack: str) -> dict[str, Any]:
    """The blueprint's leaves, as JSON has them."""
    leaves = project.resolve(stack).leaves()
    values: dict[str, Any] = json.loads(json.dumps(leaves, default=str))
    return values


def _lifecycles(project: BaseProject, stack: str) -> Mapping[str, Any]:
    return project.platform_of(stack).lifecycles(project.resolve(stack))


def _kept(project: BaseProject, stack: str, kind: str) -> dict[str, Any] | None:
    """What `keep` wrote; None where nothing can be read."""
    try:
        found = json.loads(_file(project, stack, kind).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _file(project: BaseProject, stack: str, kind: str) -> Path:
    return project.work / "state" / f"{stack}.{kind}"
