"""`mlops-iac ci generate` and `mlops-iac ci lock`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlops_iac.cli._session import Session, verb
from mlops_iac.errors import UsageError
from mlops_iac.scaffold.ci import PLATFORMS

_ROOT = click.Option(
    ["--root"],
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The repository's root; default: where its .git is.",
)
_TEMPLATE = click.Option(
    ["--template"],
    is_flag=False,
    flag_value=".",
    metavar="[DIR]",
    help="For the repository of the template in DIR, instead of a blueprint's.",
)


@verb(
    "generate",
    click.Argument(["platform"], type=click.Choice(PLATFORMS)),
    _TEMPLATE,
    _ROOT,
    click.Option(["--branch"], help="What is deployed.  [default: main]"),
    click.Option(["--python"], metavar="VERSION", help="The Python of jobs.  [default: 3.11]"),
    click.Option(
        ["--runner"],
        metavar="LABEL,…",
        help="Labels (GitHub), tags (GitLab) or pool (Azure) of jobs.",
    ),
    click.Option(["--index-url"], metavar="URL", help="The one index that packages come from."),
    click.Option(
        ["--index-credentials/--no-index-credentials"],
        default=None,
        help="It asks for a user and password; CI has them as secrets.",
    ),
    click.Option(
        ["--template-credentials/--no-template-credentials"],
        default=None,
        help="So do the repositories that the blueprint extends, or for an SSH key.",
    ),
    click.Option(["--cache/--no-cache"], default=None, help="Keep pip's downloads between runs."),
    click.Option(["--docs"], metavar="FILE", help="With --template: its reference, kept fresh."),
    click.Option(["--source"], metavar="SOURCE", help="With --docs: what a blueprint writes."),
    click.Option(["--check"], is_flag=True, help="Write nothing; fail when a file is stale."),
)
def generate(
    session: Session,
    platform: str,
    template: str | None,
    root: Path | None,
    check: bool,
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
    from mlops_iac.api.ci import workflows

    if template is None:
        if given["docs"] or given["source"]:
            raise UsageError("--docs and --source are of a template's reference", hint="--template")
        project = session.project()
        files = workflows.workflows(project, platform, root=root, given=given)
        unlocked, locked = workflows.unlocked(project), workflows.lock_of(project).exists()
    else:
        from mlops_iac.api.ci import template_workflows as of_template

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
        for place in workflows.without_credentials(project, platform, root):
            session.say(
                f"note: {place} gets no credentials: only a template names it; a template that needs them"
                " there has to stand in the blueprint's own extends, too"
            )
    paths = [os.path.relpath(path) for path in told]
    if session.json:
        session.emit_json({"stale" if check else "written": paths, "unlocked": unlocked})
    else:
        word = session.style("stale" if check else "wrote", fg="red" if check else "green")
        for path in paths:
            session.say(f"  {word} {path}")
        if not paths:
            session.say("fresh" if check else "nothing changed")
        elif not check:
            session.say("read the head of each file: what to set up once in the CI system")
    old = bool(unlocked) and locked
    if unlocked:
        session.say(f"{'stale' if old else 'note'}: CI installs nothing: {unlocked}")
    return 1 if check and (paths or old) else 0


@verb(
    "lock",
    _TEMPLATE,
    _ROOT,
    click.Option(
        ["--index-url"], metavar="URL", help="The one index to ask; default: that of the workflows."
    ),
    click.Option(
        ["--upgrade"], is_flag=True, help="Take the newest versions that fit, and other files."
    ),
)
def lock(
    session: Session, template: str | None, root: Path | None, index_url: str | None, upgrade: bool
) -> None:
    """Lock every package that CI installs, by version and by the digests of its files.

    Holds on every system and Python; versions that are pinned stay, unless --upgrade, and other files
    under them are refused. Commit it: CI installs nothing else. Credentials for the index stand in
    `~/.netrc`.
    """
    if template is None:
        from mlops_iac.api.ci import workflows

        project = session.project()
        top = workflows.top_of(project, root)
        changed = {
            workflows.lock_of(project): workflows.lock(
                project, top, index_url or "", upgrade=upgrade
            )
        }
    else:
        from mlops_iac.api.ci import template_workflows as of_template
        from mlops_iac.api.compile import package_lock

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
        for line in lines:
            session.say(f"  {line}")
        shown = os.path.relpath(path)
        session.say(f"wrote {shown}: review it and commit it" if lines else f"{shown} is fresh")


command = click.Group(
    "ci",
    commands=[generate, lock],
    help="CI: workflows that preview and deliver, and the packages that they install.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
