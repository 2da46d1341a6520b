"""Workflows of CI systems for one project: previews on pull requests, exact plans on merge.

Actions are pinned by the commits that these tags of their repositories name; a tag can be moved,
a commit cannot. Read from the repositories on 2026-11-21.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from mlops_iac.errors import UsageError
from mlops_iac.scaffold.ci_options import Options

_TEMPLATES: Final = Path(__file__).parent / "workflows"
PLATFORMS: Final = ("github", "gitlab", "azure-devops")
ACTIONS: Final = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "setup_python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "upload": "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
    "download": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
    "pulumi": "pulumi/actions@8e5e406f4007fca908480587cb9893c07090f58d # v7.0.0",
}
# Path, template, and what there is of them.
_FILES: Final = {
    "github": (
        ".github/workflows/mlops-iac-{}-{}.yml",
        "github-{}.yml",
        ("preview", "fork-preview", "apply", "template-update"),
    ),
    "gitlab": (".gitlab/mlops-iac-{}.yml", "gitlab.yml", ("",)),
    "azure-devops": (
        ".azure-pipelines/mlops-iac-{}-{}.yml",
        "azure-{}.yml",
        ("preview", "apply", "template-update"),
    ),
}
_JUDGING: Final = {
    "github": (".github/**", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": (".gitlab-ci*.yml", ".gitlab/**", "CODEOWNERS", "docs/CODEOWNERS"),
    "azure-devops": (".azure-pipelines/**", "azure-pipelines*.yml"),
}
# What stands in workflows as it is: a name that needs no quoting anywhere, and no expression.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_FOLDER: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_. /-]*")
# What git asks for credentials: it prints those of the step, and keeps none.
_HELPER: Final = (
    '!f() { echo "username=${MLOPS_IAC_TEMPLATES_USERNAME}";'
    ' echo "password=${MLOPS_IAC_TEMPLATES_TOKEN}"; }; f'
)
# Where the CI systems keep files of one job.
_TEMPORARY: Final = {
    "github": "${{ runner.temp }}",
    "gitlab": "$WORK",
    "azure-devops": "$(Agent.TempDirectory)",
}


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

    `stacks` stand in the order of delivery. `folder` is the blueprint's, `program` the compiled
    program's and `lock` that of its packages, relative to the repository's root (`.` for the root
    itself). `pulumi` is a version. `sign_in` is the folder with the cloud's own parts. `templates` are the repository's folders of templates that it
    stands on, `remote` the addresses of repositories that have others, as `https://HOST/…` or
    `ssh://…`, `named` those that the blueprint itself names: credentials are for their hosts alone.
    `ejected`: whether the program has components of its own, which CI is to run.
    """

    project: str
    stacks: Sequence[Stack]
    folder: str
    program: str
    lock: str
    pulumi: str
    sign_in: Path
    options: Options = field(default_factory=Options)
    templates: Sequence[str] = ()
    remote: Sequence[str] = ()
    named: Sequence[str] = ()
    ejected: bool = False


def workflows(platform: str, delivery: Delivery) -> dict[str, str]:
    """Path relative to the repository's root → content, the same for the same delivery.

    Raises UsageError for an unknown platform, for a cloud that signs no jobs in, and for names that no
    workflow may carry.
    """
    if platform not in PLATFORMS:
        raise UsageError(f"there are no workflows for {platform!r}", hint=f"{', '.join(PLATFORMS)}")
    if not delivery.sign_in.is_dir():
        raise UsageError(
            "no way is known yet in which CI jobs sign in to this cloud",
            hint="run `mlops-iac up -s ENVIRONMENT --yes` in a workflow of your own",
        )
    _check(delivery)
    values = _values(platform, delivery)
    return {
        path: render(template, values, delivery.sign_in)
        for path, template in paths(platform, delivery.project).items()
        if delivery.remote or not template.endswith("-template-update.yml")
    }


def paths(platform: str, project: str) -> dict[str, str]:
    """Path of each file that a platform can have for a project → what it is made from."""
    path, template, whats = _FILES[platform]
    return {path.format(project, what): template.format(what) for what in whats}


def _values(platform: str, delivery: Delivery) -> dict[str, Any]:
    # A project that is the whole repository has no paths to tell it by.
    whole = delivery.folder == "."
    parts = [] if whole else [delivery.folder, delivery.program, *delivery.templates]
    paths = [f"{part}/**" for part in parts]
    return {
        **common(platform, delivery.options, delivery.lock, delivery.named),
        "files": {"fork": f"mlops-iac-{delivery.project}-fork-preview.yml"},
        "fetched": bool(delivery.remote),
        "project": delivery.project,
        "stacks": delivery.stacks,
        "folder": delivery.folder,
        "program": delivery.program,
        "update_branch": f"mlops-iac/template-update/{delivery.project}",
        "paths": paths,
        # A change of these alone is a change of what judges the next one.
        "watched": [*paths, *_JUDGING[platform]] if paths else [],
        "ejected": delivery.ejected,
        "pulumi": delivery.pulumi,
    }


def common(platform: str, options: Options, lock: str, named: Sequence[str]) -> dict[str, Any]:
    """What every workflow is made from: machines, what is installed, and access to what is fetched.

    `named` are the addresses whose hosts get credentials. Raises UsageError for options that the
    platform has no place for.
    """
    if platform == "azure-devops" and len(options.runners) > 1:
        raise UsageError("jobs of Azure DevOps run in one pool", hint="--runner POOL")
    private = [urlsplit(url) for url in named if options.template_credentials]
    hosts = {
        scheme: sorted({_place(each) for each in private if each.scheme == scheme})
        for scheme in ("https", "ssh")
    }
    return {
        "lock": lock,
        "options": options,
        "runners": options.runners,
        "runs_on": _runs_on(options.runners),
        "https_hosts": hosts["https"],
        "ssh_hosts": hosts["ssh"],
        "git_env": _git_env(hosts, _TEMPORARY[platform]),
        "needs_secrets": options.index_credentials or any(hosts.values()),
        "actions": ACTIONS,
    }


def without_credentials(delivery: Delivery) -> list[str]:
    """Places that templates come from, as SCHEME://HOST, that get none: only other templates name them."""
    named, every = (
        {f"{parts.scheme}://{_place(parts)}" for parts in map(urlsplit, urls)}
        for urls in (delivery.named, delivery.remote)
    )
    return sorted(every - named)


def _place(url: SplitResult) -> str:
    """Host and, where it has one, port."""
    return (url.hostname or "") + (f":{url.port}" if url.port else "")


def _git_env(hosts: Mapping[str, Sequence[str]], temporary: str) -> dict[str, str]:
    """Variables by which git has access to the hosts, and to no others."""
    found = {"GIT_CONFIG_COUNT": str(len(hosts["https"]))} if hosts["https"] else {}
    for number, host in enumerate(hosts["https"]):
        found[f"GIT_CONFIG_KEY_{number}"] = f"credential.https://{host}.helper"
        found[f"GIT_CONFIG_VALUE_{number}"] = _HELPER
    if hosts["ssh"]:
        found["GIT_SSH_COMMAND"] = (
            f"ssh -F none -i {temporary}/templates-key -o IdentitiesOnly=yes"
            f" -o UserKnownHostsFile={temporary}/templates-hosts"
        )
    return found


def _runs_on(runners: Sequence[str]) -> str:
    if not runners:
        return "ubuntu-24.04"
    return json.dumps(list(runners) if len(runners) > 1 else runners[0])


def render(template: str, values: Mapping[str, Any], sign_in: Path | None = None) -> str:
    """A workflow from its template, which is one of ours; it finds `sign_in` under `cloud/`."""
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    cloud = {} if sign_in is None else {"cloud": FileSystemLoader(sign_in)}
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(_TEMPLATES), PrefixLoader(cloud)]),
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
    environment.filters["quoted"] = lambda text: "'{}'".format(text.replace("'", "''"))
    environment.filters["indented"] = lambda text, by: textwrap.indent(text, " " * by)
    # Of a variable's value, what names variables is for the shell to fill in, but not in a helper.
    environment.filters["shell"] = lambda text: f"'{text}'" if text.startswith("!") else f'"{text}"'
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
        ("folder", delivery.folder, _FOLDER),
        ("folder", delivery.program, _FOLDER),
    ):
        if not form.fullmatch(text) or ".." in PurePosixPath(text).parts:
            raise UsageError(
                f"the {what} {text!r} cannot stand in a workflow",
                hint="letters, digits, `-`, `_`" + ("" if form is _NAME else ", `.`, `/`"),
            )
