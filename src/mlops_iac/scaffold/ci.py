"""Workflows of CI systems for one project: previews on pull requests, exact plans on merge.

Actions are pinned by the commits that these tags of their repositories name; a tag can be moved,
a commit cannot. Read from the repositories on 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mlops_iac.errors import UsageError

_TEMPLATES: Final = Path(__file__).parent / "workflows"
PLATFORMS: Final = ("github", "gitlab", "azure-devops")
ACTIONS: Final = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "setup_python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "upload": "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
    "download": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
    "aws": "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
    "pulumi": "pulumi/actions@8e5e406f4007fca908480587cb9893c07090f58d # v7.0.0",
}
_JUDGING: Final = {
    "github": (".github/**", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": (".gitlab-ci*.yml", ".gitlab/**", "CODEOWNERS", "docs/CODEOWNERS"),
    "azure-devops": (".azure-pipelines/**", "azure-pipelines*.yml"),
}
_PYTHON: Final = "3.11"
# What stands in workflows as it is: a name that needs no quoting anywhere, and no expression.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_FOLDER: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_. /-]*")
_BRANCH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


@dataclass(frozen=True, slots=True)
class Stack:
    """One environment to deliver to. `approval`: people decide; `account` is empty if not said."""

    name: str
    region: str
    account: str = ""
    approval: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the workflows are for.

    `ejected`: whether the program has components of its own, which CI is to run. `templates` are the repository's folders of templates that it stands on.
    `stacks` stand in the order of delivery. `folder` is the blueprint's and `program` the compiled
    program's, relative to the repository's root (`.` for the root itself). `pulumi` is a version.
    """

    project: str
    stacks: Sequence[Stack]
    folder: str
    program: str
    pulumi: str
    branch: str = "main"
    templates: Sequence[str] = ()
    ejected: bool = False


def workflows(platform: str, delivery: Delivery) -> dict[str, str]:
    """Path relative to the repository's root → content, the same for the same delivery.

    Raises UsageError for an unknown platform, and for names that no workflow may carry.
    """
    if platform not in PLATFORMS:
        raise UsageError(f"there are no workflows for {platform!r}", hint=f"{', '.join(PLATFORMS)}")
    _check(delivery)
    values = _values(platform, delivery)
    return {
        path: _render(template, {**values, "files": _files(delivery)})
        for path, template in _paths(platform, delivery).items()
    }


def _paths(platform: str, delivery: Delivery) -> dict[str, str]:
    name = delivery.project
    match platform:
        case "github":
            folder = ".github/workflows/"
            return {
                f"{folder}mlops-iac-{name}-preview.yml": "github-preview.yml",
                f"{folder}{_files(delivery)['fork']}": "github-fork-preview.yml",
                f"{folder}mlops-iac-{name}-apply.yml": "github-apply.yml",
            }
        case "gitlab":
            return {f".gitlab/mlops-iac-{name}.yml": "gitlab.yml"}
        case _:
            return {
                f".azure-pipelines/mlops-iac-{name}-preview.yml": "azure-preview.yml",
                f".azure-pipelines/mlops-iac-{name}-apply.yml": "azure-apply.yml",
            }


def _files(delivery: Delivery) -> dict[str, str]:
    return {"fork": f"mlops-iac-{delivery.project}-fork-preview.yml"}


def _values(platform: str, delivery: Delivery) -> dict[str, Any]:
    program = PurePosixPath(delivery.program)
    # A project that is the whole repository has no paths to tell it by.
    whole = delivery.folder == "."
    parts = [] if whole else [delivery.folder, delivery.program, *delivery.templates]
    paths = [f"{part}/**" for part in parts]
    return {
        "project": delivery.project,
        "stacks": delivery.stacks,
        "folder": delivery.folder,
        "requirements": (program / "requirements.txt").as_posix(),
        "paths": paths,
        # A change of these alone is a change of what judges the next one.
        "watched": [*paths, *_JUDGING[platform]] if paths else [],
        "branch": delivery.branch,
        "ejected": delivery.ejected,
        "pulumi": delivery.pulumi,
        "python": _PYTHON,
        "actions": ACTIONS,
    }


def _render(template: str, values: Mapping[str, Any]) -> str:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        # `${{ … }}` and `$[ … ]` belong to the CI systems.
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["quoted"] = lambda text: f"'{text}'"
    return environment.get_template(f"{template}.jinja").render(values)


def _check(delivery: Delivery) -> None:
    if not delivery.stacks:
        raise UsageError(
            "the blueprint has no environment to deliver to", hint="add one under `environments:`"
        )
    for what, text, form in (
        ("project", delivery.project, _NAME),
        *(("environment", stack.name, _NAME) for stack in delivery.stacks),
        *(("region", stack.region, _NAME) for stack in delivery.stacks),
        ("branch", delivery.branch, _BRANCH),
        ("folder", delivery.folder, _FOLDER),
        ("folder", delivery.program, _FOLDER),
    ):
        if not form.fullmatch(text) or ".." in PurePosixPath(text).parts:
            raise UsageError(
                f"the {what} {text!r} cannot stand in a workflow",
                hint="letters, digits, `-`, `_`" + ("" if form is _NAME else ", `.`, `/`"),
            )
