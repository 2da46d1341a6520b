"""Everything wrong with a template: the language's view, the platforms', and that of policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.blueprint.templates.content import TemplateContent
    from mlops_iac.templates.linting.samples import Samples
    from mlops_iac.templates.linting.subject import Subject


def lint_folder(folder: str | Path) -> list[Diagnostic]:
    """Every problem of the template in `folder`; its code is not run.

    Raises UsageError where there is none.
    """
    from mlops_iac.templates.authoring import finder_of, read_template

    path = Path(folder)
    return lint_content(read_template(path), finder_of(path))


def lint_content(content: TemplateContent, finder: object) -> list[Diagnostic]:
    """Every problem of a template; `finder` finds what it stands on."""
    from typing import Any, cast

    from mlops_iac.clouds.registry import names
    from mlops_iac.templates.linting.run import Asked, lint

    found = cast("Any", finder)
    asked = Asked(
        finder=lambda: found, platforms=names(), judge=_judge, extra=(_policies, _scaffold)
    )
    return lint(content, asked)


def _judge(loaded: LoadedBlueprint, environment: str) -> Sequence[Diagnostic]:
    """What the platform of a blueprint refuses of one environment."""
    from mlops_iac.clouds.registry import platform

    resolved = loaded.resolve(environment)
    return platform(str(resolved.blueprint.platform)).check(resolved)


def _policies(_: Subject, __: Samples) -> Iterator[Diagnostic]:
    yield from ()


def _scaffold(_: Subject, __: Samples) -> Iterator[Diagnostic]:
    yield from ()
