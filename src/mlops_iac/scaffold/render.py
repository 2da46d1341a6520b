"""Renders the project template into a folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.blueprint.checks.texts import EMAIL
from mlops_iac.clouds import registry
from mlops_iac.errors import UsageError
from mlops_iac.scaffold.writing import written

_TEMPLATE = Path(__file__).parent / "template"
# Names that a package cannot carry as they are.
_RENAMED = {"gitignore": ".gitignore"}
_SUFFIX = ".jinja"  # only these are rendered, the rest is copied
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 32  # `name` of a blueprint
PLACEHOLDER = "you@example.com"
"""The `owner` of a project that nobody has named one for: an answer only where somebody accepts it."""


def default_answers(folder: str, platform: str = registry.DEFAULT) -> dict[str, str]:
    """An answer to every question, made from the name of the folder and the platform."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    name = re.sub(r"^[0-9-]+", "", name)[:_LONGEST_NAME].strip("-")
    return {
        "name": name or "my-project",
        "owner": PLACEHOLDER,
        "region": registry.forms(platform).example_region,
        "platform": platform,
    }


def scaffold(target: Path, answers: Mapping[str, str]) -> list[Path]:
    """Write a project into `target` (made if needed); the paths of its files, in order.

    `answers` has `name`, `owner`, `region` and `platform`, as `default_answers` gives them.
    Raises UsageError for an answer that is missing, unknown or not of its form, and where a file
    is there already; then nothing is written. Raises MlopsError where writing fails.
    """
    check(answers)
    files = {name: text.encode() for name, text in _render(answers).items()}
    with written(target, files) as paths:
        return paths


def _render(answers: Mapping[str, str]) -> dict[str, str]:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATE),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        # YAML and Markdown, not HTML; what could break them goes through `tojson`.
        autoescape=False,
    )
    rendered: dict[str, str] = {}
    for path in sorted(_TEMPLATE.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        name = path.relative_to(_TEMPLATE).as_posix()
        if name.endswith(_SUFFIX):
            text = environment.get_template(name).render(answers)
            name = name.removesuffix(_SUFFIX)
        else:
            text = path.read_text(encoding="utf-8")
        rendered[_RENAMED.get(name, name)] = text
    return rendered


def check(answers: Mapping[str, str]) -> None:
    """Raise UsageError for an answer that is missing, unknown or not of its form."""
    wanted = default_answers("")
    if missing := [key for key in wanted if not answers.get(key, "").strip()]:
        raise UsageError(f"no answer for {', '.join(missing)}")
    if unknown := [key for key in answers if key not in wanted]:
        raise UsageError(
            f"nobody asked for {', '.join(unknown)}", hint=f"answers: {', '.join(wanted)}"
        )
    name, owner = answers["name"], answers["owner"]
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"name {name!r}: lowercase letters, digits and hyphens, a letter first, "
            f"{_LONGEST_NAME} characters at most",
            hint=f"for example {default_answers(name)['name']}",
        )
    if not re.fullmatch(EMAIL, owner):
        raise UsageError(f"owner {owner!r} is not an e-mail address")
    if answers["platform"] not in registry.names():
        raise UsageError(
            f"there is no template for {answers['platform']}",
            hint=f"for: {', '.join(registry.names())}",
        )
    forms = registry.forms(answers["platform"])
    if not re.fullmatch(forms.region, answers["region"]):
        raise UsageError(
            f"region {answers['region']!r} is not a region", hint=f"e.g. {forms.example_region}"
        )
