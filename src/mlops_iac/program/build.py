"""Plans of all environments → one Pulumi program, in memory; `write` puts it on disk."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_iac.clouds import registry
from mlops_iac.clouds.base import (
    Archive,
    ComponentCall,
    Definition,
    UserFile,
)
from mlops_iac.errors import UsageError
from mlops_iac.program import archive, layout, project_files
from mlops_iac.program.compare import ordered_union
from mlops_iac.program.ejected import Ejected, imported
from mlops_iac.program.expressions import All, Array, Call, Code, Expression, flat, quote
from mlops_iac.program.manifest import read_manifest
from mlops_iac.program.merge import Configuration, Merger, refuse
from mlops_iac.program.references import check_order, identifiers, references
from mlops_iac.values import mapped

_PROJECT_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")  # Source: pulumi sdk/go tokens.QName


@dataclass(frozen=True, slots=True)
class ProjectInput:
    """What the program says about itself.

    `source` is the blueprint's file: its name and the hash of its bytes go into the program.
    `overrides` maps environment → resource address → property → value. `guide` is what the
    platform adds to its README, in Markdown. `ejected` components are imported from beside the
    program.
    """

    name: str
    description: str
    source: Path
    overrides: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    guide: str = ""
    ejected: Ejected = field(default_factory=Ejected)

    @property
    def provenance(self) -> str:
        """One sentence: what wrote the program, and from what."""
        try:
            digest = sha256(self.source.read_bytes()).hexdigest()
        except OSError as error:
            raise UsageError(f"{self.source} cannot be read: {error.strerror}") from None
        return (
            f"Written by mlops-iac {project_files.own_version()} from {self.source.name}"
            f" (sha256:{digest[:12]})."
        )


@dataclass(frozen=True, slots=True)
class Program:
    """A Pulumi project in memory.

    `files` maps paths relative to the program's folder to contents, without the
    `Pulumi.<environment>.yaml`, which are shared with their user: `config` holds what we put there,
    by environment and full key (`churn:serving.api.scaling.max`), with plain Python
    values. `optional` are full keys that a user may set and we leave alone where we have no value.
    `made_from` maps archives to the digest of what was packed. `paths` maps component names to
    blueprint paths. `user_files` maps the user's files that are not packed to what the program
    calls them, relative to its folder. `backends` maps environments to where their states are kept,
    as far as the blueprint says so; it is remembered for the time when it does not any more.
    `ejected` are the files among them that are their user's.
    """

    project: str
    files: Mapping[str, bytes]
    config: Mapping[str, Mapping[str, Any]]
    optional: frozenset[str]
    made_from: Mapping[str, str]
    paths: Mapping[str, str]
    user_files: Mapping[str, str] = field(default_factory=dict)
    backends: Mapping[str, str] = field(default_factory=dict)
    ejected: Ejected = field(default_factory=Ejected)

    def fits(self, out: Path) -> bool:
        """Whether it says the same in another folder."""
        try:
            return all(_relative(path, out) == name for path, name in self.user_files.items())
        except UsageError:
            return False


def build(
    project: ProjectInput,
    plans: Mapping[str, Sequence[ComponentCall]],
    provider_configs: Mapping[str, Mapping[str, Any]],
    out: Path,
) -> Program:
    """The program for all environments of `plans`, to lie in the folder `out`; nothing is written.

    Reads the code folders that are packed, and archives already in `out` where they are up to date.
    Raises BlueprintInvalid where environments differ more deeply than one program can express, and
    UsageError for code that cannot be packed.
    """
    if not plans:
        raise UsageError("there is no environment to compile for")
    if not _PROJECT_NAME.match(project.name):
        raise UsageError(
            f"{project.name!r} is no name for a Pulumi project",
            hint="letters, digits, `-`, `_` and `.`, at most 100",
        )
    for calls in plans.values():
        check_order(calls)
    builder = _Builder(project, plans, out)
    blocks = builder.blocks()
    overrides = builder.overrides()
    headline = f"{project.name}: {project.description}" if project.description else project.name
    provenance = (
        f"{project.provenance} Change the blueprint and run `mlops-iac compile`:"
        " what is changed here by hand is lost."
    )
    main = layout.main_py(
        headline,
        provenance,
        blocks,
        overrides,
        local=project.ejected.modules,
        ejected=project.ejected.told,
    )
    ours = bool(imported(main, Ejected()))
    modules = {call.component.partition(":")[0] for calls in plans.values() for call in calls}
    clouds = sorted(filter(None, {registry.owner(module) for module in modules}))
    files = {
        ".gitignore": project_files.gitignore(),
        "Pulumi.yaml": project_files.pulumi_yaml(project.name, project.description),
        "README.md": project_files.readme(
            project.name,
            project.source.name,
            list(plans),
            project.provenance,
            project.guide,
            ejected=bool(project.ejected.copies),
        ),
        "__main__.py": main,
        "requirements.txt": project_files.requirements(clouds, ours=ours),
        **builder.files,
        **project.ejected.contents,
    }
    values = builder.configuration.values
    # It calls the builder: as a circle, all that was planned would wait for the collector.
    del builder.merger
    return Program(
        project=project.name,
        files=dict(sorted(files.items())),
        config={
            environment: {
                **{
                    key: mapped(value)
                    for key, value in provider_configs.get(environment, {}).items()
                    if value is not None
                },
                **{
                    f"{project.name}:{key}": mapped(value)
                    for key, value in sorted(values.get(environment, {}).items())
                },
            }
            for environment in plans
        },
        optional=frozenset(f"{project.name}:{key}" for key in builder.configuration.optional),
        made_from=builder.made_from,
        paths={call.name: call.path for calls in plans.values() for call in calls},
        user_files=builder.user_files,
        ejected=project.ejected,
    )


class _Builder:
    """The state of one `build`: files and configuration gathered while calls are merged."""

    def __init__(
        self, project: ProjectInput, plans: Mapping[str, Sequence[ComponentCall]], out: Path
    ) -> None:
        self.project = project
        self.plans = plans
        self.out = out
        self.files: dict[str, bytes] = {}
        self.made_from: dict[str, str] = {}
        self.user_files: dict[str, str] = {}
        self._packed: dict[str, bytes] = {}
        self._digests: dict[bytes, str] = {}
        self.configuration = Configuration(list(plans))
        self.conditions: dict[str, tuple[frozenset[str], tuple[Expression, ...]]] = {}
        self.by_variable = {
            env: {call.variable: call for call in calls} for env, calls in plans.items()
        }
        self.variables = ordered_union([[c.variable for c in calls] for calls in plans.values()])
        self.merger = Merger(self.configuration, identifiers(self.variables), {}, self.file)

    def blocks(self) -> list[layout.Block]:
        """Every component call, merged, in dependency order."""
        return [self._block(variable) for variable in self.variables]

    def _block(self, variable: str) -> layout.Block:
        calls = {
            env: known[variable] for env, known in self.by_variable.items() if variable in known
        }
        first = next(iter(calls.values()))
        for what in ("component", "name", "path"):
            if len({getattr(call, what) for call in calls.values()}) > 1:
                refuse(first.path, f"the {what} of {variable!r}", calls)
        condition = self._condition(variable, calls)
        module, _, cls = first.component.partition(":")
        keywords = self.merger.arguments(
            {env: call.args for env, call in calls.items()},
            f"{module}:{cls}Args",
            first.path or variable,
        )
        inner = Call(f"{cls}Args", keywords=keywords, imports=(f"{module}:{cls}Args",))
        exports: dict[str, str] = {}
        for env, call in calls.items():
            for name, attribute in call.exports.items():
                if exports.setdefault(name, attribute) != attribute:
                    refuse(first.path, f"the output {name!r}", [*calls, env])
        return layout.Block(
            variable=self.merger.rename[variable],
            path=first.path,
            call=Call(
                cls,
                [Code(quote(first.name)), inner],
                self._options(calls),
                imports=(first.component,),
            ),
            exports=exports,
            condition=condition,
        )

    def _options(self, calls: Mapping[str, ComponentCall]) -> dict[str, Expression]:
        aliases = self._aliases(calls)
        names = ordered_union([list(call.depends_on) for call in calls.values()])
        if not names and not aliases:
            return {}
        items: list[Expression] = []
        for name in names:
            having = {env for env, call in calls.items() if name in call.depends_on}
            code = self.merger.rename[name]
            if having == set(calls):
                items.append(Code(code))
                continue
            known = self.merger.conditional.get(name)
            if known is None or known[0] & set(calls) != having:
                refuse(next(iter(calls.values())).path, "what it depends on", calls)
            items.append(Code(f"*([{code}] if {flat(known[1])} else [])"))
        keywords: dict[str, Expression] = {"aliases": Array(aliases)} if aliases else {}
        if items:
            keywords["depends_on"] = Array(items)
        options = Call("pulumi.ResourceOptions", keywords=keywords, imports=("pulumi",))
        return {"opts": options}

    @staticmethod
    def _aliases(calls: Mapping[str, ComponentCall]) -> list[Expression]:
        """Former names; children follow, because their names begin with the component's."""
        found = {tuple(call.aliases) for call in calls.values()}
        if len(found) > 1:
            refuse(next(iter(calls.values())).path, "the former name", calls)
        return [
            Call("pulumi.Alias", keywords={"name": Code(quote(name))}, imports=("pulumi",))
            for name in next(iter(found))
        ]

    def _condition(
        self, variable: str, calls: Mapping[str, ComponentCall]
    ) -> tuple[Expression, ...]:
        """The flags a call stands behind: none, a shared one, or its own after its dependencies'."""
        present = frozenset(calls)
        if present == frozenset(self.plans):
            return ()
        first = next(iter(calls.values()))
        needed = {name for call in calls.values() for name in references(call)}
        for other, (owners, condition) in self.conditions.items():
            path = next(c[other].path for c in self.by_variable.values() if other in c)
            related = other in needed or first.path == path or first.path.startswith(f"{path}.")
            if owners == present and path and related:
                self._remember(variable, present, condition)
                return condition
        inherited: list[Expression] = []
        for other in self.conditions:
            if other in needed:
                inherited += [c for c in self.conditions[other][1] if c not in inherited]
        key = first.flag or f"{first.path or variable}.enabled"
        # Two calls of one part of the blueprint may belong to different environments.
        if not self.configuration.agrees(key, present):
            key = f"{variable}.enabled"
        own = self.configuration.flag(key, present)
        condition = (*inherited, own)
        self._remember(variable, present, condition)
        return condition

    def _remember(
        self, variable: str, present: frozenset[str], condition: tuple[Expression, ...]
    ) -> None:
        self.conditions[variable] = (present, condition)
        test = condition[0] if len(condition) == 1 else All(condition)
        self.merger.conditional = {**self.merger.conditional, variable: (present, test)}

    def overrides(self) -> Expression | None:
        """The overrides table, None without any."""
        given = {env: dict(self.project.overrides.get(env, {})) for env in self.plans}
        if not any(given.values()):
            return None
        return self.merger.merge(given, "overrides")

    def file(self, values: Mapping[str, Definition | Archive | UserFile], key: str) -> Expression:
        """The expression for a file: one that all share, or one per environment."""
        sample = next(iter(values.values()))
        if isinstance(sample, UserFile):
            paths = {
                env: self._named(item.path)
                for env, item in values.items()
                if isinstance(item, UserFile)
            }
            return _asset(self.merger.merge(paths, key))
        contents: dict[str, bytes] = {}
        # Most environments say the same: a folder of code is read once for all of them.
        last: tuple[object, bytes] = (None, b"")
        for env, item in values.items():
            if item != last[0]:
                last = (item, b"" if isinstance(item, UserFile) else self._content(item))
            contents[env] = last[1]
        alike = len(set(contents.values())) == 1
        paths = {}
        for env, item in values.items():
            path = item.path if alike else _per_environment(item.path, env)
            if self.files.setdefault(_inside(path), contents[env]) != contents[env]:
                refuse(key, f"the file {path}", values)
            if isinstance(item, Archive):
                self.made_from[path] = self._digests[contents[env]]
            paths[env] = path
        name: Expression = (
            Code(quote(paths[next(iter(paths))])) if alike else self.merger.merge(paths, key)
        )
        if isinstance(sample, Archive):
            return _asset(name)
        return Call("settings.definition", [name])

    def _content(self, item: Definition | Archive) -> bytes:
        if isinstance(item, Definition):
            return item.content.encode()
        files = archive.members(Path(item.root) if item.root else None, item.extra)
        fingerprint = archive.digest(files)
        content = (
            self._packed.get(fingerprint)
            or self._reused(fingerprint)
            or archive.packed(files, fingerprint)
        )
        self._packed[fingerprint] = content
        self._digests[content] = fingerprint
        return content

    def _reused(self, fingerprint: str) -> bytes | None:
        """An archive in `out` made from the same: zlib versions compress differently."""
        return read_manifest(self.out).archive_with(self.out, fingerprint)

    def _named(self, path: str) -> str:
        name = self.user_files[path] = _relative(path, self.out)
        return name


def _relative(path: str, out: Path) -> str:
    try:
        return Path(os.path.relpath(path, out.absolute())).as_posix()
    except ValueError:
        raise UsageError(
            f"{path} and {out} lie on different drives, so no relative path joins them"
        ) from None


def _per_environment(path: str, environment: str) -> str:
    """`pipelines/x.json` → `pipelines/x.prod.json`; a double ending (.tar.gz) stays whole."""
    head, _, tail = path.rpartition("/")
    stem, dot, endings = tail.partition(".")
    return f"{head}{'/' if head else ''}{stem}.{environment}{dot}{endings}"


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"{path!r} lies outside of the program's folder")
    return path


def _asset(path: Expression) -> Expression:
    return Call("pulumi.FileAsset", [path], imports=("pulumi",))
