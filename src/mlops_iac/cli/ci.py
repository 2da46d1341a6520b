"""`mlops-iac ci generate` and `mlops-iac ci lock`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlops_iac.api.ci import template_workflows as of_template
from mlops_iac.api.ci import workflows
from mlops_iac.api.compile import package_lock
from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.errors import UsageError
from mlops_iac.scaffold.ci import PLATFORMS

_ROOT = option(
    "The repository's root; default: where its .git is.",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
_TEMPLATE = option(
    "For the repository of the template in DIR, instead of a blueprint's.",
    is_flag=False,
    flag_value=".",
    metavar="[DIR]",
)


@verb(
    "generate",
    branch=option("What is deployed.  [default: main]"),
    python=option("The Python of jobs.  [default: 3.11]", metavar="VERSION"),
    runner=option("Labels (GitHub), tags (GitLab) or pool (Azure) of jobs.", metavar="LABEL,…"),
    index_url=option("The one index that packages come from.", metavar="URL"),
    index_credentials=option(
        "It asks for a user and password; CI has them as secrets.",
        "--index-credentials/--no-index-credentials",
        default=None,
    ),
    template_credentials=option(
        "So do the repositories that the blueprint extends, or for an SSH key.",
        "--template-credentials/--no-template-credentials",
        default=None,
    ),
    cache=option("Keep pip's downloads between runs.", "--cache/--no-cache", default=None),
    docs=option("With --template: its reference, kept fresh.", metavar="FILE"),
    source=option("With --docs: what a blueprint writes.", metavar="SOURCE"),
)
def generate(
    session: Session,
    platform: str = argument(type=click.Choice(PLATFORMS)),
    template: str | None = _TEMPLATE,
    root: Path | None = _ROOT,
    check: bool = flag("Write nothing; fail when a file is stale."),
    **given: object,
) -> int:
    """Write CI workflows: a preview on every pull request, exact plans applied on merge.

    Pull requests from forks get their preview too, from a job that reads them as data; blueprints on
    templates get a pull request a week with newer versions. With --template: its tests,
    compatibility and docs on every pull request, and a release for a tag.

    Options stand in the head of each file and need not be given again; an empty value takes one
    back. What jobs install is what `mlops-iac ci lock` wrote. Exit code with --check: 0 fresh, 1
    stale.
    """
    if template is None:
        if given["docs"] or given["source"]:
            raise UsageError("--docs and --source are of a template's reference", hint="--template")
        project = session.project()
        files = workflows.workflows(project, platform, root=root, given=given)
        unlocked, locked = workflows.unlocked(project), workflows.lock_of(project).exists()
    else:
        folder = Path(template)
        files = of_template.workflows(folder, platform, root=root, given=given)
        unlocked, locked = of_template.unlocked(folder, platform, root)
        if folder.resolve() == of_template.top_of(folder, root):
            session.say(
                "note: the template is the whole repository, so these files are part of its versions:"
                " in a folder of its own it would not change with them"
            )
    told = workflows.stale(files) if check else workflows.write(files)
    if template is None:
        session.notes(
            f"{place} gets no credentials: only a template names it; a template that needs them"
            " there has to stand in the blueprint's own extends, too"
            for place in workflows.without_credentials(project, platform, root)
        )
    paths = [os.path.relpath(path) for path in told]
    if session.json:
        session.emit_json({"stale" if check else "written": paths, "unlocked": unlocked})
    else:
        word = session.style("stale" if check else "wrote", fg="red" if check else "green")
        session.say(*(f"  {word} {path}" for path in paths))
        if not paths:
            session.say("fresh" if check else "nothing changed")
        elif not check:
            session.say("read the head of each file: what to set up once in the CI system")
    old = bool(unlocked) and locked
    if unlocked:
        session.say(f"{'stale' if old else 'note'}: CI installs nothing: {unlocked}")
    return 1 if check and (paths or old) else 0


@verb("lock")
def lock(
    session: Session,
    template: str | None = _TEMPLATE,
    root: Path | None = _ROOT,
    index_url: str | None = option(
        "The one index to ask; default: that of the workflows.", metavar="URL"
    ),
    upgrade: bool = flag("Take the newest versions that fit, and other files."),
) -> None:
    """Lock every package that CI installs, by version and by the digests of its files.

    Holds on every system and Python; versions that are pinned stay, unless --upgrade, and other files
    under them are refused. Commit it: CI installs nothing else. Credentials for the index stand in
    `~/.netrc`.
    """
    if template is None:
        project = session.project()
        top = workflows.top_of(project, root)
        lines = workflows.lock(project, top, index_url or "", upgrade=upgrade)
        changed = {workflows.lock_of(project): lines}
    else:
        folder = Path(template)
        changed = {
            path: package_lock.write_lock(
                path, package_lock.of_templates(), index_url or url, upgrade=upgrade
            )
            for path, url in of_template.locks(folder, of_template.top_of(folder, root)).items()
        }
    if session.json:
        session.emit_json({os.path.relpath(path): lines for path, lines in changed.items()})
        return
    for path, lines in changed.items():
        session.say(*(f"  {line}" for line in lines))
        shown = os.path.relpath(path)
        session.say(f"wrote {shown}: review it and commit it" if lines else f"{shown} is fresh")


command = click.Group(
    "ci",
    commands=[generate, lock],
    help="CI: workflows that preview and deliver, and the packages that they install.",
)
