"""Where a template can be: a folder, a git repository, a Python package, or the tool itself."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.blueprint.reach import Outside, Reach
from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates.sources.base import TemplateSource, over_ssh, safe

_FORMS = (
    "a folder (./templates/standard), git+https://HOST/PATH[#subdirectory=FOLDER], git+ssh://…, "
    "python:MODULE[/FOLDER], or the name of a built-in template"
)


def parse_source(text: str, root: Path, parent: TemplateSource | None = None) -> TemplateSource:
    """The source that `text` names in a blueprint in folder `root`, or in a template from `parent`.

    Raises TemplateUnavailable for what is no source, and for what a template from elsewhere may not
    name: folders and repositories of the machine that it happens to be used on.
    """
    from mlops_iac.templates.sources.folder import FolderSource, folder_source

    foreign = parent is not None and not isinstance(parent, FolderSource)
    if text.startswith(("./", "../")) or text in (".", ".."):
        return parent.beside(text) if parent is not None else folder_source(text, root)
    if text.startswith("/"):
        if foreign and parent is not None:
            raise _foreign(text, parent)
        return folder_source(text, root)
    if text.startswith("git+"):
        from mlops_iac.templates.sources.git import git_source

        source = git_source(text)
        if foreign and parent is not None and source.local and not _local(parent):
            raise _foreign(text, parent)
        return source
    if text.startswith("python:"):
        from mlops_iac.templates.sources.python import python_source

        return python_source(text)
    from mlops_iac.templates.sources.builtin import NAME, BuiltinSource

    if NAME.fullmatch(text):
        return BuiltinSource(text=text)
    raise TemplateUnavailable(
        "template-source",
        f"'{safe(text)}' is no source of a template",
        hint=_meant(text) or f"write {_FORMS}",
    )


def require_reach(source: TemplateSource, reach: Reach) -> None:
    """Raise TemplateUnavailable for a folder that is out of reach.

    For a fork that is every repository of this machine, too.
    """
    from mlops_iac.templates.sources.folder import FolderSource

    if isinstance(source, FolderSource):
        try:
            reach.inside(source.path, source.text)
        except Outside as error:
            raise TemplateUnavailable("outside", error.message, hint=error.hint) from None
    elif reach.fork and source.text.startswith("git+file:"):
        raise TemplateUnavailable(
            "outside",
            f"'{safe(source.text)}' is on this machine, and whoever wrote the blueprint is not",
            hint="name a repository that is served: git+https://HOST/PATH",
        )


def _local(source: TemplateSource) -> bool:
    from mlops_iac.templates.sources.git import GitCommitSource

    return isinstance(source, GitCommitSource) and source.repository.local


def _foreign(text: str, parent: TemplateSource) -> TemplateUnavailable:
    return TemplateUnavailable(
        "template-escape",
        f"'{safe(text)}' is on this machine, and {safe(parent.text)}, which names it, is not",
        hint="a template may stand on what is published with it, or on another source",
    )


def _meant(text: str) -> str:
    """What was probably meant."""
    if written := over_ssh(text):
        return f"for a git repository over SSH write {written}"
    if text.startswith(("https://", "ssh://", "file://")):
        return f"for a git repository write git+{safe(text)}"
    if "@" in text and ":" in text and "://" not in text:
        return "for a git repository over SSH write git+ssh://git@HOST/PATH"
    if text.startswith("~"):
        return "write the folder from the blueprint's, or from the root: '~' is not replaced"
    host = text.partition("/")[0]
    if "/" in text and "." in host.strip(".") and ":" not in text:
        return f"for a git repository write git+https://{safe(text)}, for a folder './{safe(text)}'"
    if "/" in text and ":" not in text:
        return f"for a folder write './{safe(text)}'"
    return ""
