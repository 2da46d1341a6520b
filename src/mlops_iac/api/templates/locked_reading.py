"""A blueprint as its locked templates can read it, where it says already what newer ones ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.editing import Editor
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.applying import Applier
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import BlueprintInvalid, Diagnostic

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.content import TemplateFinder


def without_new_parameters(text: str, finder: TemplateFinder, shown: str) -> tuple[str, str]:
    """The text without the parameters that the templates `finder` finds do not have, and a note.

    A version that needs one more parameter is only taken by a blueprint that gives it, and what
    is locked refuses that blueprint: without this nothing could be compared. The text as it is,
    and no note, where there is none.
    """
    try:
        applier = Applier(lambda: finder)
        applier.walk(compose(Source(shown, text))[0])
        unknown = [each for each in applier.problems if each.code == "unknown-parameter"]
        for each in sorted(unknown, key=lambda item: item.line, reverse=True):
            text = _without(text, each, shown)
    except BlueprintInvalid:
        return text, ""
    names = listed(dict.fromkeys(each.path.partition(".parameters.")[2] for each in unknown))
    note = f"as it is pinned now, {shown} is read without {names}: the pinned version has no such parameter"
    return text, note if unknown else ""


def _without(text: str, unknown: Diagnostic, shown: str) -> str:
    """The text without one parameter; every other line keeps its number."""
    editor = Editor(text, file=shown)
    editor.remove(unknown.path)
    lines = editor.text.splitlines(keepends=True)
    ending = "\r\n" if "\r\n" in text else "\n"
    gone = len(text.splitlines()) - len(lines)
    return "".join([*lines[: unknown.line - 1], ending * gone, *lines[unknown.line - 1 :]])
