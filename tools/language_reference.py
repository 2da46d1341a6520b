"""The language reference in Markdown, generated from the models: `docs/language.md`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlops_iac.blueprint.fields import (
    AnyType,
    ChoiceType,
    EitherType,
    Field,
    FieldType,
    ListType,
    MapType,
    ScalarType,
    SectionType,
    fields_of,
)
from mlops_iac.blueprint.sections.base import EntryName, Reference, Section, Text
from mlops_iac.blueprint.sections.compute import SIZES
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.sections.serving import SERVICE_METRICS
from mlops_iac.blueprint.sections.values import FAIRNESS_METRICS
from mlops_iac.blueprint.words import listed

_TYPES: dict[type, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}

# Why a platform refuses the field at a path (`models.NAME.train.compute.spot`) with a value; None
# where it plans it. Of the value `...` it is asked where the field may have any.
Refuses = Callable[[str, object], str | None]


def reference_markdown(platforms: Mapping[str, Refuses]) -> str:
    """Every section, field, type and default of the language, and what `platforms` make of them."""
    lines = [
        "# The blueprint language",
        "",
        "<!-- Generated from src/mlops_iac/blueprint/sections. Do not edit. -->",
        "",
        "Values are read by YAML 1.2: only `true` and `false` are booleans, `1e-5` is a number, and a",
        "text field takes what is written, so `1.20` and `0123` stay so. `${name}`, `${environment}`,",
        "`${account}` and `${region}` are filled in; `$${` stands for a plain `${`.",
        "",
        "Names of entries are lowercase letters, digits and single hyphens, and begin with a letter. No",
        "text has control characters; only descriptions, reasons, values for scripts and columns have",
        "several lines or marks that nobody sees. Time zones are those of the IANA database, by name.",
        "",
        "Layers: templates, then the blueprint, then its environment; above them only what a program hands",
        "to `mlops_iac.blueprint.load` as `command_line`, for which no command has an option. Mappings",
        "merge, the rest replaces, and `null` removes an inherited key. Of fields of which one is given, the",
        "upper layer's choice drops the lower's.",
        "",
        "Paths are relative to the blueprint. They, and the folders of templates, stay within the",
        "repository around it (the blueprint's own folder where there is none); links are followed within",
        "it. `MLOPS_IAC_FOLDERS`, absolute folders separated as in `PATH`, is where a user lets them lead",
        "as well.",
        "",
        "`validate` tells everything that is wrong in one pass, of all environments and by the platform,",
        "too, each once and in the order of the file; what follows from something wrong is not told beside",
        'it. `--json` prints `{"diagnostics": […], "errors": N, "warnings": N}`: of each `code`,',
        "`severity` (`error`, `warning` or `note`), `message`, `hint`, `file`, `line`, `column`, `length`,",
        "`path` and `snippet`.",
        "",
        "`validate` opens the beginning of a dataset that lies beside the blueprint, and of the first and",
        "last files of a folder: columns that are named have to be there, in UTF-8 and with a header. CSV",
        "is read as `pandas.read_csv` reads it without options; of parquet, columns are not looked for.",
        "Of folders, a link to a file in them is followed, and no other link; names are UTF-8.",
        "",
        "A column named after a platform says what it makes of a field: `✓` it is planned, `✗` it is",
        "refused at `validate`, with the reason. Some values are refused as well; `validate` tells those.",
        "What blueprint, environment, stack and lock are, says [the page of words](glossary.md).",
        "",
    ]
    for section, paths in _sections(Blueprint).items():
        lines += _section(section, paths, platforms)
    lines += _tables()
    return "\n".join(lines).rstrip() + "\n"


def _sections(root: type[Section]) -> dict[type[Section], list[str]]:
    """All sections in the order of their fields, each with all paths it stands at."""
    found: dict[type[Section], list[str]] = {}

    def visit(section: type[Section], path: str) -> None:
        found.setdefault(section, []).append(path)
        for field in fields_of(section).values():
            at = f"{path}.{field.key}" if path else field.key
            for inner in _inner(field.type):
                visit(inner, f"{at}.NAME" if isinstance(field.type, MapType) else at)

    visit(root, "")
    return found


def _inner(kind: FieldType) -> list[type[Section]]:
    match kind:
        case SectionType():
            return [kind.section]
        case ListType():
            return _inner(kind.item)
        case MapType():
            return _inner(kind.value)
        case EitherType():
            return [kind.section.section]
        case ChoiceType():
            return [section for _, section in kind.sections]
        case _:
            return []


def _section(
    section: type[Section], paths: list[str], platforms: Mapping[str, Refuses]
) -> list[str]:
    doc = " ".join((section.__doc__ or "").split())
    lines = [f"## {section.__name__}", "", doc, ""]
    if paths[0]:
        shown = listed([f"`{path}`" for path in dict.fromkeys(paths)], most=4)
        lines += [f"At {shown}.", ""]
    fields = fields_of(section)
    if fields:
        columns = ["Field", "Takes", "Default", "Meaning", *(f"`{name}`" for name in platforms)]
        lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        for field in fields.values():
            said = [_support(refuses, section, field, paths) for refuses in platforms.values()]
            lines.append(f"{_row(field)} {''.join(f'{each} | ' for each in said)}".rstrip())
        lines.append("")
    required = {*section.ONE_OF, *section.SOME_OF}
    for group in section.ALTERNATIVES:
        names = listed([f"`{key}`" for key in group], "or")
        lines += [f"{'Exactly' if group in required else 'At most'} one of {names}.", ""]
    for group in section.SOME_OF:
        names = listed([f"`{key}`" for key in group], "or")
        lines += [f"At least one of {names}.", ""]
    return lines


def _row(field: Field) -> str:
    meaning = (field.info.description or "").replace("|", "\\|")
    return f"| `{field.key}` | {_shown(field.type)} | {_default(field)} | {meaning} |"


def _support(refuses: Refuses, section: type[Section], field: Field, paths: list[str]) -> str:
    """What a platform makes of a field at the paths of its section, in a cell."""
    chosen_by = [
        (each.key, each.type.allowed[0])
        for each in fields_of(section).values()
        if each.required and isinstance(each.type, ScalarType) and len(each.type.allowed) == 1
    ]
    said: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        start = f"{path}." if path else ""
        whole = (refuses(f"{start}{key}", only) for key, only in chosen_by)
        why = next((f"✗ {reason}" for reason in whole if reason), "")
        said.setdefault(why or _said(refuses, field.type, f"{start}{field.key}"), []).append(path)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(
        cell if cell == "✓" else f"{cell} (at {listed((f'`{path}`' for path in at), most=2)})"
        for cell, at in sorted(said.items())
    )


def _said(refuses: Refuses, kind: FieldType, path: str) -> str:
    if path == "environments":
        return "✓"  # merged before a platform sees it
    values: tuple[object, ...] = kind.allowed if isinstance(kind, ScalarType) else ()
    refused = {value: why for value in values or (...,) if (why := refuses(path, value))}
    if not refused:
        return "✓"
    why = next(iter(refused.values()))
    left = [f"`{value}`" for value in values if value not in refused]
    return f"✓ only {listed(left, 'or')}: {why}" if left else f"✗ {why}"


def _default(field: Field) -> str:
    if field.required:
        return "**needed**"
    value = field.default()
    if value is None or value in ("", (), {}) or isinstance(value, Section):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(str(item) for item in value)}]`"
    return f"`{value}`"


def _shown(kind: FieldType) -> str:
    match kind:
        case ScalarType():
            return _scalar(kind)
        case ListType():
            size = f"{kind.bounds.min_length} of: " if kind.bounds.max_length else ""
            return f"list of {size}{_shown(kind.item)}"
        case MapType():
            key = "name"
            if isinstance(kind.key, EntryName):
                key = f"{kind.key.what}, at most {kind.key.longest} characters,"
            if isinstance(kind.key, Text):
                key = kind.key.kind.replace("-", " ")
            if kind.longest_key is not None:
                key += f", at most {kind.longest_key} characters,"
            return f"{key} → {_shown(kind.value)}"
        case SectionType():
            return _link(kind.section)
        case EitherType():
            return f"{_shown(kind.scalar)}, or {_shown(kind.section)}"
        case ChoiceType():
            return ", or ".join(_link(section) for _, section in kind.sections)
        case AnyType():
            return "anything"


def _link(section: type[Section]) -> str:
    return f"[{section.__name__}](#{section.__name__.lower()})"


def _scalar(kind: ScalarType) -> str:
    if kind.allowed:
        return " \\| ".join(f"`{item}`" for item in kind.allowed)
    shown = listed((_TYPES[item] for item in kind.types), "or")
    match kind.marker:
        case Reference(section):
            return f"name in `{section}`"
        case EntryName(what, longest):
            return f"{what} name, at most {longest} characters"
        case Text(form) if form != "prose":
            return {"cron": "cron schedule", "timezone": "time zone"}.get(
                form, form.replace("-", " ")
            )
        case _:
            pass
    low = kind.bounds.ge if kind.bounds.ge is not None else kind.bounds.gt
    if low is not None:
        shown += f", {'at least' if kind.bounds.ge is not None else 'above'} {low:g}"
    if kind.bounds.max_length is not None:
        shown += f", at most {kind.bounds.max_length} characters"
    if kind.bounds.le is not None:
        shown += f", at most {kind.bounds.le:g}"
    return shown


def _tables() -> list[str]:
    lines = ["## Sizes", "", "A guaranteed minimum on every platform.", ""]
    lines += ["| Size | vCPU | Memory GB | GPUs | GB of each |", "|---|---|---|---|---|"]
    for name, (cpus, memory, gpus, each) in SIZES.items():
        machine = ("", "", gpus, each) if gpus else (cpus, memory, "", "")
        lines.append(f"| `{name}` | " + " | ".join(str(item) for item in machine) + " |")
    lines += [
        "",
        "## Metrics",
        "",
        "A limit is on a metric of the model's own `metrics`, or on:",
        "",
    ]
    for mode, metrics in SERVICE_METRICS.items():
        lines.append(f"- mode {mode}: {listed(f'`{item}`' for item in metrics)}")
    lines.append(
        f"- fairness, over `sensitive` columns: {listed(f'`{item}`' for item in FAIRNESS_METRICS)}"
    )
    lines += ["", "A gate is on one of the model's own metrics or a fairness metric.", ""]
    return lines
