"""`mlops-iac preview`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from mlops_iac.api.compare.reviews import Guards, Reviewed
from mlops_iac.api.compile.guard_rail_checks import require
from mlops_iac.cli._ephemeral import BASE, TTL, project_of
from mlops_iac.cli._fleet import ALL_STACKS, fleet, given_stack, refuse
from mlops_iac.cli._plan import plan_lines
from mlops_iac.cli._policies import lines
from mlops_iac.cli._session import ENGINE, Session, flag, option, verb, write_file
from mlops_iac.engine.preview_json import to_pulumi_json
from mlops_iac.errors import UnexpectedChanges, UsageError
from mlops_iac.records import as_data

if TYPE_CHECKING:
    from mlops_iac.api import Project
    from mlops_iac.graph.plan import Plan
    from mlops_iac.policy.model import Finding


@verb("preview", rehearses=True)
def command(
    session: Session,
    against: str | None = option(
        "What to compare with: the committed lock file, a git ref, or the state; default: the "
        "state for local, the lock file for any other stack.",
        metavar="lock|REF|state",
    ),
    every: bool = flag("All environments but local, at once.", "--all"),
    fork: str | None = option(
        "Preview this commit of a fork, fetched into this checkout's repository: its files are "
        "data, and this checkout's rules judge it; within bounds, and without credentials.",
        metavar="REF",
    ),
    live: bool = flag("Ask the real engine, with credentials."),
    assume: str | None = option(
        "Of versions that nobody pins, where no registry is asked: that there is an approved one "
        "(default), or none, as before the first approval.",
        type=click.Choice(["approved", "none"]),
    ),
    engine: str | None = ENGINE,
    target: tuple[str, ...] = option("Only these resources.", metavar="ADDRESS", multiple=True),
    detail: bool = flag("Every property, also of what is created.", "--diff"),
    unchanged: bool = flag("List what stays as it is, too."),
    save_plan: str | None = option(
        "Save it for `up --plan FILE`, which does only that; with --all, {stack} in the name.",
        metavar="FILE",
    ),
    markdown: str | None = option(
        "Write it as the comment of a pull request; with --all, {stack} in the name.",
        metavar="FILE",
    ),
    html: str | None = option(
        "Write it as a page with a picture; with --all, {stack} in the name.", metavar="FILE"
    ),
    policy: bool = flag("Check the guard rails too; exit with 5 if one is broken."),
    no_team_rules: bool = flag("With --policy: none of the team or of templates."),
    expect_no_changes: bool = flag("Exit with 7 when anything changes."),
    base: str | None = BASE,
    ttl: str | None = TTL,
    folder: str | None = ALL_STACKS,
) -> int:
    """Show what a deployment would change. Needs no credentials unless --live."""
    if folder is not None:
        from mlops_iac.api.fleet import Preview

        refuse(
            session,
            all=every, live=live, assume=assume, engine=engine, target=target, diff=detail, unchanged=unchanged,
            save_plan=save_plan, markdown=markdown, html=html, ttl=ttl, fork=fork,
            **{"from": base, "against state": against == "state"},
        )  # fmt: skip
        asked = Preview(given_stack(), against or "", policy, not no_team_rules, expect_no_changes)
        return fleet(session, folder, asked)
    project: Project
    with ExitStack() as opened:
        if fork is not None:
            real = (
                live,
                assume,
                engine,
                target,
                base,
                ttl,
                session.emulated,
                against in ("lock", "state"),
            )
            if any(real):
                raise UsageError(
                    "a fork is compared with a commit of this repository, without a cloud",
                    hint="drop --live, --assume, --engine, --target, --from, --ttl, --emulated, and name a commit with"
                    " --against",
                )
            if session.stack == "local" and not every:
                raise UsageError(
                    "a fork's local stack is nobody's here",
                    hint="name a stack with -s, or take --all",
                )
            from mlops_iac.api.kinds import Fork
            from mlops_iac.cli import _bounded

            if not _bounded.inside():
                session.project()  # its templates are brought here, where one may ask for them
                return _bounded.run(session.words, session.started)
            project = opened.enter_context(Fork.opened(session.project(), fork))
            against = against or "HEAD"
        else:
            declared_only = {"--all": every, "--against": against, "--save-plan": save_plan}
            project = project_of(session, base, ttl, without=declared_only)
        session.tell_left_out(project)
        stacks = [name for name in project.environments if name != "local"] if every else []
        locked = not session.is_local and against != "state" and not (live or engine)
        # A plan saved without a state carries its review, which is what people approve.
        written = markdown is not None or html is not None
        if (
            every
            or written
            or against not in (None, "lock", "state")
            or (against == "lock" and locked and not target)
            or (save_plan is not None and locked)
        ):
            if live or engine or target or assume:
                raise UsageError(
                    "a comparison with a git ref, of all environments, or for --markdown or --html "
                    "takes no --live, --engine, --target or --assume",
                    hint="drop one of them",
                )
            guards = Guards(policy, own=not no_team_rules)
            found = project.reviews(stacks or [session.stack], against, guards)
            if save_plan is not None:
                for each, path in zip(found, _paths(save_plan, found), strict=True):
                    project.save_plan(each.review.stack, path, review=each.review)
            _write(found, markdown, html)
            _review(session, found, unchanged=unchanged, detail=detail)
            if expect_no_changes:
                _require_unchanged(found)
            return 0
        if save_plan is not None:
            if target:
                raise UsageError("a saved plan is one of the whole stack", hint="drop --target")
            plan = project.save_plan(
                session.stack, save_plan, against=against, live=live, engine=engine
            )
        else:
            plan = project.preview(
                session.stack,
                against=against,
                live=live,
                engine=engine,
                targets=target,
                assume=assume,
            )
        findings = project.policies(session.stack, own=not no_team_rules) if policy else None
        _plan(session, project, plan, findings, unchanged=unchanged, detail=detail)
        require(findings or (), session.stack)
        if expect_no_changes and (plan.changes or plan.incomparable):
            raise UnexpectedChanges(
                f"{plan.size or len(plan.changes)} change(s) where none were expected"
                if plan.changes
                else "what is hidden cannot be compared, and no change was expected",
                hint="`mlops-iac compile` and commit"
                if plan.against == "lock"
                else f"`mlops-iac up -s {plan.stack}` applies them",
            )
        return 0


def _plan(
    session: Session,
    project: Project,
    plan: Plan,
    findings: Sequence[Finding] | None,
    *,
    unchanged: bool,
    detail: bool,
) -> None:
    if session.json:
        more = {} if findings is None else {"policies": as_data(findings)}
        session.emit_json({**to_pulumi_json(plan), **more})
        return
    session.head(plan.project, session.stack, project.platform, plan.engine)
    session.say(f"compared with {project.comparison(plan)}")
    if plan.assumed is not None and plan.assumed.approved and plan.assumed.waiting:
        session.say("--live asks which are approved; --assume none leaves those resources out")
    session.out(*plan_lines(plan, session.style, unchanged=unchanged, detail=detail))
    session.notes((*plan.doubts, *plan.diagnostics))
    if findings is not None:
        lines(session, findings)


def _review(session: Session, found: Sequence[Reviewed], **shown: bool) -> None:
    from mlops_iac.cli._review import review_lines

    if session.json:
        documents = [
            {
                **to_pulumi_json(each.plan),
                "policies": as_data(each.review.policies),
                "review": each.review.to_json(),
            }
            for each in found
        ]
        session.emit_json(documents if len(documents) > 1 else documents[0])
    for each in [] if session.json else found:
        review = each.review
        session.head(review.project, review.stack, review.platform, review.engine)
        session.say(f"compared with {review.against}")
        session.out(*review_lines(each, session.style, **shown))
        session.notes(review.notes)
        if review.policies:
            lines(session, review.policies)
    for each in found:
        require(each.review.policies, each.review.stack)


def _require_unchanged(found: Sequence[Reviewed]) -> None:
    changed = [e.review.stack for e in found if e.review.changes or e.review.tool_changes]
    doubtful = [each.review.stack for each in found if each.plan.incomparable]
    if changed or doubtful:
        what = "changes" if changed else "hidden values that cannot be compared"
        raise UnexpectedChanges(
            f"{what} in {', '.join(changed or doubtful)} where none were expected",
            hint="see them above, or leave --expect-no-changes out",
        )


def _write(found: Sequence[Reviewed], markdown: str | None, html: str | None) -> None:
    """Write the reviews in the forms that were asked for."""
    if markdown:
        from mlops_iac.review.markdown import to_markdown

        for path, each in zip(_paths(markdown, found), found, strict=True):
            write_file(path, to_markdown(each.review))
    if html:
        from mlops_iac.review.html import to_html

        for path, each in zip(_paths(html, found), found, strict=True):
            write_file(path, to_html(each.review))


def _paths(pattern: str, found: Sequence[Reviewed]) -> list[str]:
    """One file for each stack: `{stack}` in a name that the user gave is the stack's."""
    if len(found) > 1 and "{stack}" not in pattern:
        raise UsageError(
            f"{pattern} is one file for {len(found)} stacks", hint="write {stack} into its name"
        )
    return [pattern.replace("{stack}", each.review.stack) for each in found]
