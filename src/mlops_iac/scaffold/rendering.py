"""A template's `scaffold/` as the files of a new project.

It comes from someone else: it is rendered in a bounded process, and what it wants to be called is
looked at once it is rendered, before anything is written.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_iac import python_child
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.words import suggestion
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.scaffold import sandbox
from mlops_iac.scaffold.sandbox import SUFFIX
from mlops_iac.templates.files import Names, shown, wrong_name

FOLDER = "scaffold/"
BASE = ".from"
"""The file of a scaffold that names the one it is laid over."""
DEFAULT_BLUEPRINT = """\
# What {{ name }} is made of. `mlops-iac validate` checks it, `mlops-iac explain PATH` says where a
# value comes from: most stand in the template.
blueprint: 1
name: {{ name }}
owner: {{ owner | yaml }}
platform: {{ platform }}
region: {{ region }}

extends:
{{ extends }}
"""
_EXAMPLE = Path(__file__).parent / "template"
_SECONDS = 20
# What Jinja evaluates, bounded: the text is someone else's.
_EVALUATED = re.compile(r"\{[{%](.{0,2000}?)[%}]\}", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")
_OURS = {"blueprint.lock": "is written by init itself"}
# `GIT~1` is `.git` there, `MLOPS-~1` the work folder: which number a file has depends on the others.
_SHORT = re.compile(r"[^.]{1,7}~\d{1,6}(\.[^.]{0,3})?")


def shared() -> dict[str, dict[str, bytes]]:
    """The scaffolds that come with the tool, which a template's may be laid over.

    `example-workload`: data and scripts that any template with a trained model runs with.
    """
    example: dict[str, bytes] = {".gitignore": (_EXAMPLE / "gitignore").read_bytes()}
    for folder in ("data", "workload"):
        for path in sorted((_EXAMPLE / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                example[path.relative_to(_EXAMPLE).as_posix()] = path.read_bytes()
    return {"example-workload": example}


def files_of(content: TemplateContent, label: str) -> dict[str, bytes]:
    """The scaffold as it lies in the template, over the one that it names, `.jinja` and all.

    Raises UsageError where it names one that is not there.
    """
    own = {
        path.removeprefix(FOLDER): data
        for path, data in content.files.items()
        if path.startswith(FOLDER)
    }
    base: dict[str, bytes] = {}
    if BASE in own:
        name = own.pop(BASE).decode("utf-8", "replace").strip()
        known = shared()
        if name not in known:
            raise _refused(
                label,
                f"{FOLDER}{BASE} names '{shown(name)}', and there is no such scaffold",
                suggestion(name, list(known)),
            )
        base = known[name]
    plain = {path.removesuffix(SUFFIX) for path in own}
    files = {path: data for path, data in base.items() if path not in plain} | own
    if "blueprint.yaml" not in plain:
        files[f"blueprint.yaml{SUFFIX}"] = DEFAULT_BLUEPRINT.encode()
    return files


def names_in(content: TemplateContent, label: str) -> frozenset[str]:
    """The words in what is evaluated: an answer that is not among them becomes nothing.

    Words and not variables: the scaffold is someone else's, and is parsed in its bounded process only.
    """
    files = files_of(content, label)
    texts = [
        data.decode("utf-8", "replace") for path, data in files.items() if path.endswith(SUFFIX)
    ]
    return frozenset(
        word
        for text in [*files, *texts]
        for evaluated in _EVALUATED.findall(text)
        for word in _WORD.findall(evaluated)
    )


def has_blueprint(content: TemplateContent) -> bool:
    """Whether the scaffold has a blueprint of its own."""
    return any(f"{FOLDER}blueprint.yaml{end}" in content.files for end in ("", SUFFIX))


def rendered(content: TemplateContent, label: str, values: Mapping[str, Any]) -> dict[str, bytes]:
    """What a new project is made of: POSIX path → content. Nothing is written.

    `values` are plain data that the scaffold may name. Raises UsageError for a scaffold that is
    refused or wrong, with the file and line of the template.
    """
    files = files_of(content, label)
    texts: dict[str, str | None] = {}
    for path, data in files.items():
        if wrong := wrong_name(path):
            raise _refused(label, f"the file name '{shown(path)}' {wrong}")
        try:
            texts[path] = data.decode("utf-8") if path.endswith(SUFFIX) else None
        except UnicodeDecodeError:
            raise _refused(
                label,
                f"{FOLDER}{path} is not UTF-8",
                f"without {SUFFIX} it is copied as it is",
            ) from None
    names = Names()
    made: dict[str, bytes] = {}
    for path, name, text in _run(texts, values, label):
        if wrong := _wrong_name(name):
            raise _refused(label, f"the file name '{shown(name)}' {wrong}")
        if clash := names.add(name):
            raise _refused(label, clash)
        made[name] = files[path] if text is None else text.encode()
    return dict(sorted(made.items()))


def _run(
    texts: Mapping[str, str | None], values: Mapping[str, Any], label: str
) -> list[tuple[str, str, str | None]]:
    request = json.dumps({"files": texts, "values": values}).encode()
    try:
        process = subprocess.run(
            python_child.command(str(Path(sandbox.__file__))),
            env=python_child.environment(),
            input=request,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refused(label, "rendering its scaffold does not end") from None
    except OSError as error:
        raise MlopsError(f"the scaffold cannot be rendered: {error.strerror}") from error
    try:
        answer = json.loads(process.stdout)
    except ValueError:
        # Killed: by the limit of processor time, or because memory ran out beyond any exception.
        raise _refused(label, "rendering its scaffold does not end, or takes all memory") from None
    if "error" in answer:
        raise _wrong(answer, label)
    return [(path, name, text) for path, name, text in answer["files"]]


def _wrong(answer: Mapping[str, Any], label: str) -> UsageError:
    place = f"{FOLDER}{shown(str(answer['file']))}"
    if answer["line"]:
        place += f":{answer['line']}"
    message = shown(str(answer["message"]))
    match answer["error"]:
        case "memory":
            return _refused(label, "rendering its scaffold takes too much memory")
        case "SecurityError" | "OverflowError" | "RecursionError" | "TooMuch":
            return _refused(label, f"{place}: {message}")
        case "UndefinedError":
            why = f"{place} names something that there is no answer for: {message}"
            return UsageError(
                f"the scaffold of {label} cannot be rendered: {why}; nothing was written",
                hint="tell whoever publishes it; `template test` finds this",
            )
        case kind:
            return UsageError(
                f"the scaffold of {label} cannot be rendered: {place}: {kind}: {message};"
                " nothing was written",
                hint="tell whoever publishes it",
            )


def _wrong_name(name: str) -> str:
    """Why a rendered name is none of a file of a project; empty where it is one."""
    parts = name.split("/")
    if wrong := wrong_name(name) or _OURS.get(name.lower(), ""):
        return wrong
    if any(part.lower().startswith(".mlops-iac") for part in parts):
        return "belongs to mlops-iac"
    if any(_SHORT.fullmatch(part) for part in parts):
        return "can be the short name of another file on Windows"
    return ""


def _refused(label: str, why: str, hint: str = "") -> UsageError:
    return UsageError(
        f"the scaffold of {label} is refused: {why}; nothing was written",
        hint=hint or "tell whoever publishes it",
    )
