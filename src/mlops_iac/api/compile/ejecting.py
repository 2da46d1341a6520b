"""Components copied beside the program, so that it needs this package no longer; and back again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_iac.api.compile import captures, programs
from mlops_iac.api.compile.compiling import compile_project
from mlops_iac.blueprint.words import nearest
from mlops_iac.errors import UsageError
from mlops_iac.program.ejected import Ejected, imported, require_untouched
from mlops_iac.program.ejected import eject as ejected_with
from mlops_iac.program.manifest import read_manifest

if TYPE_CHECKING:
    from mlops_iac.api.compile.compiling import Compiled
    from mlops_iac.api.core.project import BaseProject


def eject(project: BaseProject, components: Sequence[str], *, everything: bool) -> Compiled:
    """Write copies of components and the program that imports them; see `Project.eject`."""
    out = programs.default_out(project)
    with _standing(project, Ejected()):
        program = captures.build(project, out)
    used = imported(program.files["__main__.py"], Ejected())
    known = {copy.module: used.get(copy.module, []) for copy in read_manifest(out).ejected.values()}
    wanted = list(used) if everything else [_module(name, known | used) for name in components]
    with _standing(project, ejected_with(out, wanted)):
        return compile_project(project, out)


def undo(project: BaseProject) -> Compiled:
    """Remove the copies and write the program without them; see `Project.undo_eject`."""
    out = programs.default_out(project)
    require_untouched(out)
    with _standing(project, Ejected()):
        return compile_project(project, out)


@contextmanager
def _standing(project: BaseProject, ejected: Ejected) -> Iterator[None]:
    """The project with these components ejected, whatever lies there yet."""
    project.ejecting = ejected
    try:
        yield
    finally:
        project.ejecting = None


def _module(name: str, used: dict[str, list[str]]) -> str:
    """The module meant: by its own name, or by the name of what the program imports of it."""
    names = {module.rpartition(".")[2]: module for module in used}
    classes = {each: module for module, members in used.items() for each in members}
    found = names.get(name) or classes.get(name)
    if found is not None:
        return found
    shown = sorted(
        each for each in classes if f"{each}Args" in classes or len(used[classes[each]]) == 1
    )
    near = nearest(name, [*names, *shown])
    raise UsageError(
        f"the program uses no component {name!r}",
        hint=(f"did you mean {near}? " if near else "") + f"It uses {', '.join(shown)}",
    )
