"""`template.yaml`: what a template is called, takes, allows, and did in each version."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.decode import Decoder
from mlops_iac.blueprint.sections.base import Field, Json, Section, Text
from mlops_iac.blueprint.sections.platform import TemplateUse
from mlops_iac.blueprint.sections.root import PlatformName
from mlops_iac.blueprint.sections.values import Scalar
from mlops_iac.blueprint.source import LARGEST_FILE, Node, Source, problem
from mlops_iac.blueprint.templates.content import MANIFEST, TemplateContent
from mlops_iac.blueprint.templates.patterns import wrong_pattern
from mlops_iac.blueprint.words import join, split
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.records import Record

UNSET = object()
"""The default of a parameter that has none; `null` is a default: it may be left out."""

# https://semver.org, "Is there a suggested regular expression to check a SemVer string?"
_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?")
_PARAMETER = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LONGEST = 80


class Parameter(Section):
    """What a team fills in."""

    type: Literal["text", "integer", "number", "boolean", "list"] = Field(
        default="text", description="What it takes; a list is one of texts."
    )
    description: str = Field(description="For the team that fills it in.")
    default: Json = Field(
        default=UNSET, description="Without one it must be given; `null`: it may be left out."
    )
    choices: tuple[Scalar, ...] = Field(default=(), description="The only values it takes.")
    at_least: float | None = Field(
        default=None, description="The least number, or how many items at least."
    )
    at_most: float | None = Field(
        default=None, description="The greatest number, or how many items at most."
    )
    pattern: str | None = Field(
        default=None, description="A regular expression that the whole text matches."
    )


class Operation(Section):
    """One change of a team's blueprint: what it does is which of its first keys is written."""

    ALTERNATIVES: ClassVar = (("rename", "move", "rename_parameter", "remove", "set"),)
    ONE_OF: ClassVar = ALTERNATIVES

    rename: str | None = Field(default=None, description="A path whose last key is called `to`.")
    move: str | None = Field(default=None, description="A path whose field is at `to` now.")
    rename_parameter: str | None = Field(default=None, description="The name that it had.")
    remove: str | None = Field(default=None, description="A path that is gone.")
    set: str | None = Field(
        default=None, description="A path that has `value` now; what is written there stays."
    )
    to: str = Field(default="", description="The key, path or name that it has now.")
    value: Json = Field(default=UNSET, description="What is written there.")
    because: str = Field(default="", description="Why, for people.")

    @property
    def kind(self) -> str:
        """Which one it is."""
        return next(key for key in self.ONE_OF[0] if getattr(self, key) is not None)

    @property
    def path(self) -> str:
        """What it changes; `*` stands for any key."""
        return str(getattr(self, self.kind))


class LimitSpec(Section):
    """What holds at a path, and why."""

    ALTERNATIVES: ClassVar = (
        ("fixed", "one_of", "keys", "pattern", "forbidden"),
        ("required", "forbidden"),
    )
    SOME_OF: ClassVar = (
        ("fixed", "one_of", "keys", "pattern", "at_least", "at_most", "required", "forbidden"),
    )

    fixed: Json = Field(
        default=None, description="The only value; filled in where none is written."
    )
    one_of: tuple[Scalar, ...] = Field(default=(), description="The only values it may have.")
    keys: tuple[str, ...] = Field(
        default=(), min_length=1, description="The only keys a map may have, of names of a team's."
    )
    at_least: float | None = Field(default=None, description="The least number.")
    at_most: float | None = Field(default=None, description="The greatest number.")
    pattern: str | None = Field(
        default=None, description="A regular expression that the whole text matches."
    )
    required: bool = Field(
        default=False, description="It must have a value, and none that only stands for one."
    )
    forbidden: bool = Field(default=False, description="It must not be there.")
    because: str = Field(description="The reason; stands in every error.")


class Manifest(Section):
    """What `template.yaml` says."""

    SOME_OF: ClassVar = ()

    template: Literal[1] = Field(description="Version of this format.")
    name: str = Field(description="`NAME` or `NAMESPACE/NAME`.")
    version: Annotated[str, Text("id")] = Field(description="A semantic version, e.g. `2.1.0`.")
    description: str = Field(default="", description="What it gives a team.")
    platforms: tuple[PlatformName, ...] = Field(
        default=(), description="Those it was made for; none named: all."
    )
    extends: tuple[TemplateUse, ...] = Field(
        default=(), description="Templates that this one stands on, lowest first."
    )
    parameters: dict[str, Parameter] = Field(
        default_factory=dict, description="What a team fills in."
    )
    limits: dict[str, Json] = Field(
        default_factory=dict, description="What nothing above can undo, by path."
    )
    changelog: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="What changed, by version."
    )
    migrations: dict[str, tuple[Operation, ...]] = Field(
        default_factory=dict, description="What a version changes in a team's blueprint."
    )

    @property
    def label(self) -> str:
        """`acme/standard@2.1.0`."""
        return f"{self.name}@{self.version}"


class Reading(Record):
    """One version of a template, read. `root` is its template.yaml, `source` the text of that.

    `blueprint` is the partial one that it lays under a team's, None where it has none.
    """

    content: TemplateContent
    manifest: Manifest
    root: Node
    source: Source
    blueprint: Node | None = None

    @property
    def label(self) -> str:
        """`acme/standard@2.1.0`."""
        return self.manifest.label

    def file(self, name: str) -> str:
        """What messages call one of its files."""
        folder = self.source.file.rpartition("/")[0]
        return f"{folder}/{name}" if folder else name

    def node(self, *keys: str) -> Node | None:
        """What stands in template.yaml under these keys."""
        node = self.root
        for key in keys:
            entry = node.entries.get(key)
            if entry is None:
                return None
            node = entry.value
        return node

    def key(self, *keys: str) -> Node:
        """The last of these keys in template.yaml; the nearest above it where it is not there."""
        above = self.node(*keys[:-1])
        entry = above.entries.get(keys[-1]) if above is not None else None
        if entry is not None:
            return entry.key
        return self.key(*keys[:-1]) if len(keys) > 1 else self.root


def is_version(text: str) -> bool:
    """Whether `text` is a semantic version (semver.org 2.0.0)."""
    return len(text) <= _LONGEST and _VERSION.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether `text` can be the name of a template."""
    return _NAME.fullmatch(text) is not None


def text_of(content: TemplateContent, name: str, label: str = "") -> Source:
    """A file of a template as text. Raises BlueprintInvalid where it is none."""
    raw = content.files[name]
    folder = content.shown or label or content.source
    shown = f"{folder}/{name}"
    place = Node("scalar", Source(shown, ""), 1, 1)
    if len(raw) > LARGEST_FILE:
        message = f"{name} is larger than {LARGEST_FILE // 1024} KiB"
        raise BlueprintInvalid([problem(place, "too-large", message)])
    try:
        return Source(shown, raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BlueprintInvalid([problem(place, "encoding", f"{name} is not UTF-8")]) from None


def read_manifest(content: TemplateContent) -> Reading:
    """What the template's `template.yaml` says.

    Raises BlueprintInvalid with every problem of it, placed in it.
    """
    if MANIFEST not in content.files:
        place = Node("scalar", Source(content.shown or content.source, ""), 1, 1)
        raise BlueprintInvalid(
            [
                problem(
                    place, "no-template", f"{content.source} has no {MANIFEST}, so is no template"
                )
            ]
        )
    source = text_of(content, MANIFEST)
    try:
        root, problems = compose(source)
    except BlueprintInvalid as error:
        raise BlueprintInvalid([_own_words(item) for item in error.diagnostics]) from None
    if not content.shown:  # by its name and version, once these are known to be there
        named = [root.entries.get(key) for key in ("name", "version")]
        if all(entry is not None and entry.value.kind == "scalar" for entry in named):
            label = "@".join(entry.value.text for entry in named if entry is not None)
            source.file = f"{label}/{MANIFEST}"
    decoder = Decoder(None)  # parameters stand in it that are not known yet
    manifest: Manifest = decoder.root(Manifest, root, "template")
    said = [_own_words(item) for item in decoder.found.problems]
    found = [*problems, *said, *_checks(root, manifest), *_migrations(root, manifest)]
    if found:
        raise BlueprintInvalid(found)
    return Reading(content, manifest, root, source)


def _own_words(item: Diagnostic) -> Diagnostic:
    from dataclasses import replace

    if item.code != "not-a-mapping":
        words = item.message.replace("a section of a blueprint", f"a key of {MANIFEST}")
        return replace(item, message=words.replace("a blueprint needs", f"{MANIFEST} needs"))
    return replace(
        item,
        message=f"{MANIFEST} is a mapping of keys to values",
        hint="start with `template: 1`, `name:` and `version:`",
    )


def _entries(root: Node, key: str) -> Iterator[tuple[str, Node]]:
    entry = root.entries.get(key)
    if entry is not None and entry.value.kind == "map":
        for name, item in entry.value.entries.items():
            yield name, item.value


def _key(root: Node, section: str, name: str) -> Node:
    return root.entries[section].value.entries[name].key


def _checks(root: Node, manifest: Manifest) -> Iterator[Diagnostic]:
    if "name" in root.entries and not _NAME.fullmatch(manifest.name or ""):
        yield problem(
            root.entries["name"].value,
            "illegal-name",
            f"'{manifest.name}' cannot be the name of a template",
            path="name",
            hint="lowercase letters, digits and hyphens, as NAME or NAMESPACE/NAME",
        )
    if "version" in root.entries and not is_version(manifest.version or ""):
        yield problem(
            root.entries["version"].value,
            "bad-version",
            f"'{manifest.version}' is no semantic version",
            path="version",
            hint="three numbers, e.g. 2.1.0",
        )
    for section in ("changelog", "migrations"):
        for version, _ in _entries(root, section):
            if not is_version(version):
                message = f"'{version}' is no semantic version"
                path = f"{section}.{version}"
                yield problem(_key(root, section, version), "bad-version", message, path=path)
    for name, parameter in manifest.parameters.items():
        path = join("parameters", name)
        if not _PARAMETER.fullmatch(name):
            hint = "lowercase letters, digits, `_` and `-`, a letter first"
            message = f"'{name}' cannot be the name of a parameter"
            yield problem(
                _key(root, "parameters", name), "illegal-name", message, path=path, hint=hint
            )
        if parameter.pattern is not None and (said := wrong_pattern(parameter.pattern)):
            message = f"{path}.pattern is no regular expression: {said}"
            yield problem(_key(root, "parameters", name), "bad-pattern", message, path=path)
        bounded = parameter.at_least is not None or parameter.at_most is not None
        if bounded and parameter.type in ("text", "boolean"):
            message = f"{path}: a {parameter.type} has no at_least or at_most"
            yield problem(_key(root, "parameters", name), "no-effect", message, path=path)


def _migrations(root: Node, manifest: Manifest) -> Iterator[Diagnostic]:
    """Operations that lack what they need, and those of what is the team's own."""
    for version, node in _entries(root, "migrations"):
        made = manifest.migrations.get(version, ())
        # Fewer were made than are written where one of them is wrong, which is told.
        for index, item in enumerate(node.items if len(made) == len(node.items) else ()):
            here, operation = f"migrations.{version}[{index}]", made[index]
            needs = {"set": "value", "remove": ""}.get(operation.kind, "to")
            for key in ("to", "value"):
                if (key == needs) != (key in item.entries):
                    what = f"needs '{key}'" if key == needs else f"has no '{key}'"
                    message = f"{here}: {operation.kind} {what}"
                    yield problem(item, "bad-migration", message, path=here)
            for key, path in _touched(operation):
                if key in item.entries and (reason := _the_teams(path)):
                    message = f"{here} cannot change '{path}': {reason}"
                    place = item.entries[key].value
                    yield problem(place, "bad-migration", message, path=here)


def _touched(operation: Operation) -> Iterator[tuple[str, str]]:
    """Each path that an operation changes, with the key that says it."""
    if operation.kind == "rename_parameter":
        return
    yield operation.kind, operation.path
    above = split(operation.path)[:-1]
    if operation.kind == "move":
        yield "to", operation.to
    elif operation.kind == "rename" and len(above) < 2:
        yield "to", join("".join(above), operation.to)


def _the_teams(path: str) -> str:
    """Why no template may change what stands there; empty where one may."""
    keys = split(path)
    if keys and keys[0] == "environments":
        if len(keys) < 3:
            return "which environments there are, and what they are called, is the team's own"
        keys = keys[2:]
    first = keys[0].partition("[")[0] if keys else ""
    if first == "extends":
        return "it is the team's own; `rename_parameter` is for what `extends` gives"
    return "a path begins with a section" if first == "*" else ""
