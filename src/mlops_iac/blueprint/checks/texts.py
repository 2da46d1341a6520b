"""The form of single texts: references, names, schedules, addresses, ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.checks.names import illegal_name
from mlops_iac.blueprint.cron import CronError, parse_cron
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.base import PATTERNS, EntryName, Reference, Text
from mlops_iac.blueprint.words import nearest, suggestion

Wrong = tuple[str, str, str]  # code, message, hint


def check_texts(check: Check) -> None:
    """Every text whose field says what form it has."""
    for path, marker, text in check.found.marked:
        match marker:
            case Reference():
                _reference(check, path, marker.section, text)
            case EntryName():
                if wrong := illegal_name(text, marker):
                    # A blueprint's and a fleet's name is a value, an entry's name is a key.
                    is_value = path == "name" or path.endswith(".fleet")
                    check.report(path, *wrong, at_key=not is_value)
            case Text():
                if wrong := FORMS[marker.kind](text):
                    is_key = marker.kind in ("environment-variable", "parameter") or (
                        marker.kind == "metric" and path.rpartition(".")[2] == text
                    )
                    check.report(path, *wrong, at_key=is_key)


_ONE = {
    "datasets": "dataset",
    "models": "model",
    "features": "feature",
    "secrets": "secret",
    "environments": "environment",
}


def _reference(check: Check, path: str, section: str, name: str) -> None:
    known = check.names(section)
    if name in known:
        return
    names = [item for item in known if (section, item) != ("environments", LOCAL)]
    hint = suggestion(name, names) or f"the blueprint has no '{section}'"
    check.report(path, "unknown-reference", f"there is no {_ONE[section]} '{name}'", hint)


def _cron(text: str) -> Wrong | None:
    try:
        schedule = parse_cron(text)
    except CronError as error:
        hint = 'e.g. "0 3 * * 1": Mondays at 03:00'
        return "bad-cron", f"'{text}' is not a cron schedule: {error}", hint
    if not schedule.ever_fires:
        hint = "no month named has such a day"
        return "cron-never-fires", f"'{text}' never fires", hint
    return None


def _timezone(text: str) -> Wrong | None:
    if text == "UTC" or text in (known := _timezones()):
        return None
    meant = nearest(text, known)
    hint = f"did you mean '{meant}'?" if meant else "e.g. Europe/Amsterdam or UTC"
    return "unknown-timezone", f"'{text}' is not a time zone", hint


@cache
def _timezones() -> list[str]:
    """The names that are the same everywhere, not what the folder of one machine holds."""
    text = (Path(__file__).parents[1] / "data" / "timezones.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


# Texts, so that only a blueprint that has one compiles it.
EMAIL = r"[^\s@<>,;:\"()\[\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"


def _email(text: str) -> Wrong | None:
    if re.fullmatch(EMAIL, text) and len(text) <= 254:
        return None
    return "bad-email", f"'{text}' is not an e-mail address", "e.g. oncall@acme.com"


def _date(text: str) -> Wrong | None:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            date.fromisoformat(text)
            return None
    except ValueError:
        pass
    return "bad-date", f"'{text}' is not a date", "write YYYY-MM-DD"


_SCHEMES = ("s3", "gs", "abfss", "bigquery", "glue", "kafka")
_MODEL_SCHEMES = ("s3", "gs", "abfss", "hf", "hosted")


def _scheme(text: str, known: tuple[str, ...]) -> Wrong | None:
    scheme, found, rest = text.partition("://")
    if found and scheme not in known:
        meant = nearest(scheme, known)
        listed = ", ".join(f"{item}://" for item in known)
        hint = (
            f"did you mean '{meant}://'?" if meant else f"a path beside the blueprint, or {listed}"
        )
        return "unknown-source", f"'{scheme}://' is not a kind of source", hint
    if found and not rest.strip("/"):
        return "unknown-source", f"'{text}' names nothing", f"e.g. {scheme}://name/path"
    return None if found else _path(text)


def _source(text: str) -> Wrong | None:
    return _scheme(text, _SCHEMES)


_HUGGING_FACE = r"hf://[\w.-]+/[\w.-]+@[\w./-]+"


def _model_source(text: str) -> Wrong | None:
    if text.startswith("hf://") and not re.fullmatch(_HUGGING_FACE, text):
        hint = "hf://org/name@revision; the revision keeps it the same tomorrow"
        return "unknown-source", f"'{text}' is not a model on Hugging Face", hint
    return _scheme(text, _MODEL_SCHEMES)


def _path(text: str) -> Wrong | None:
    if not text.strip():
        return "bad-path", "a path cannot be empty", ""
    if text.startswith(("/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", text):
        return (
            "bad-path",
            f"'{text}' is there on one machine only",
            "write it relative to the blueprint",
        )
    if "\\" in text:
        return "bad-path", f"'{text}' has a backslash", "write '/' between folders"
    return None


def _script(text: str) -> Wrong | None:
    if wrong := _path(text):
        return wrong
    if not text.endswith((".py", ".R", ".sh")):
        return "bad-script", f"'{text}' is not a script", "allowed: .py, .R or .sh"
    if ".." in text.split("/"):
        return "bad-script", f"'{text}' is outside of the model's code", "scripts are in 'code'"
    return None


_STACK = r"stack://[^/\s]+/[^/\s]+/[^/\s]+"


def _id(text: str) -> Wrong | None:
    if not text or text != text.strip() or re.search(r"\s", text):
        return "bad-id", f"'{text}' is not an id", "an id has no spaces"
    if text.startswith("stack://") and not re.fullmatch(_STACK, text):
        return (
            "bad-id",
            f"'{text}' does not name an output",
            "write stack://BLUEPRINT/ENVIRONMENT/OUTPUT",
        )
    return None


def _variable(text: str) -> Wrong | None:
    if re.fullmatch(PATTERNS["environment-variable"], text):
        return None
    hint = "letters, digits and '_', not starting with a digit"
    return "illegal-name", f"'{text}' cannot be an environment variable", hint


def _parameter(text: str) -> Wrong | None:
    if not re.fullmatch(PATTERNS["parameter"], text):
        hint = "letters, digits, '_' and '-', starting with a letter: it becomes `--name`"
        return "illegal-name", f"'{text}' cannot be a hyperparameter", hint
    return None


def _metric(text: str) -> Wrong | None:
    if re.fullmatch(PATTERNS["metric"], text):
        return None
    return "illegal-name", f"'{text}' cannot be a metric", "letters, digits, '_' and '-'"


def _any(_text: str) -> Wrong | None:
    return None


FORMS: dict[str, Callable[[str], Wrong | None]] = {
    "cron": _cron,
    "timezone": _timezone,
    "email": _email,
    "date": _date,
    "source": _source,
    "model-source": _model_source,
    "folder": _path,
    "file": _path,
    "script": _script,
    "id": _id,
    "environment-variable": _variable,
    "parameter": _parameter,
    "metric": _metric,
    "prose": _any,
    "column": _any,
}
