"""`mlops-iac pr comment` and `mlops-iac pr open`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from mlops_iac.cli._session import Session, flag, option, verb
from mlops_iac.clouds.knowledge import RiskKind
from mlops_iac.errors import UsageError
from mlops_iac.graph import saved_plan
from mlops_iac.graph.plan import Operation
from mlops_iac.policy.model import Severity
from mlops_iac.review.markdown import to_markdown
from mlops_iac.review.model import CauseKind, Noise, Review
from mlops_iac.review.post.hosts import HOSTS, Branches
from mlops_iac.review.post.opening import open_or_rewrite
from mlops_iac.review.post.target import asked, connect, find_target
from mlops_iac.review.post.upsert import upsert
from mlops_iac.scaffold.ci_options import BRANCH

if TYPE_CHECKING:
    from mlops_iac.review.escape import Platform

_PLATFORM = option(
    "Whose pull request it is.",
    type=click.Choice(["github", "gitlab", "azure-devops", "bitbucket"]),
    required=True,
)
_REPO = option("The repository; default: the CI's.", metavar="OWNER/NAME")
_API_URL = option("The API of a server of your own.", metavar="URL")
_LARGEST = 256 * 1024 * 1024
_SAVE = "save one with `mlops-iac preview -s STACK --against REF --save-plan FILE`"


@verb("comment")
def comment(
    session: Session,
    source: str = option(
        "A plan saved from a comparison with a git ref, or a saved review.",
        "--from",
        metavar="FILE",
        required=True,
    ),
    platform: Platform = _PLATFORM,
    repo: str | None = _REPO,
    number: int | None = option("The pull request; default: the CI's.", type=int, metavar="N"),
    api_url: str | None = _API_URL,
    dry_run: bool = flag("Print the comment; ask and change nothing."),
) -> None:
    """Put a preview into a pull request: one comment per project and stack, rewritten each time.

    The token comes from a variable: GITHUB_TOKEN, GITLAB_TOKEN, SYSTEM_ACCESSTOKEN or
    AZURE_DEVOPS_EXT_PAT, BITBUCKET_TOKEN (with BITBUCKET_USERNAME where it is a user's). Exit code:
    3 where it is refused, 9 where the platform does not answer in time.
    """
    review = read_review(source)
    if dry_run:
        body = rendered(review, platform, source)
        if session.json:
            session.emit_json({"action": "dry-run", "url": "", "body": body})
        else:
            session.out(body, nl=False)
        return
    target = find_target(platform, os.environ, repo=repo, number=number, api_url=api_url)
    body = rendered(review, platform, source, run=target.run, details_url=target.details_url)
    posted = upsert(connect(target, os.environ), body, platform)
    if session.json:
        session.emit_json({"action": posted.action, "url": posted.comment.url, "body": body})
    words = {
        "created": "wrote a comment",
        "rewritten": "rewrote the comment",
        "unchanged": "the comment says this already",
        "outdated": "a newer run has written the comment; left as it is",
    }[posted.action]
    session.say(f"{target.repo} {target.number}: {words} {posted.comment.url}".rstrip())


@verb("open")
def open_(
    session: Session,
    platform: Platform = _PLATFORM,
    head: str = option("What is to be merged.", required=True, metavar="BRANCH"),
    base: str = option("Into what.", required=True, metavar="BRANCH"),
    title: str = option("Its title.", required=True, metavar="TEXT"),
    body: str = option("Its description, in Markdown.", required=True, metavar="FILE"),
    repo: str | None = _REPO,
    api_url: str | None = _API_URL,
) -> None:
    """Open the pull request of a branch that was pushed, or rewrite the one that is open.

    The token comes from a variable, as for `pr comment`. Exit code: 3 where it is refused, 9 where
    the platform does not answer in time.
    """
    try:
        text = Path(body).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{body} cannot be read: {error}") from None
    for word, branch in (("--head", head), ("--base", base)):
        if not BRANCH.fullmatch(branch):
            raise UsageError(f"{word}: {branch!r} is no branch that this can name")
    target = find_target(platform, os.environ, repo=repo, api_url=api_url, of_number=False)
    http, host = asked(target, os.environ), HOSTS[platform]
    done = open_or_rewrite(http, host, target.repo, Branches(head, base), title, text)
    if session.json:
        session.emit_json({"action": done.action, "number": done.number, "url": done.url})
    session.say(f"{target.repo} {done.number}: {done.action} {done.url}".rstrip())


command = click.Group(
    "pr",
    commands=[comment, open_],
    help="Pull requests: show in one what it would change; open one.",
)


def read_review(path: str) -> Review:
    """The review in a saved plan or a saved review. Raises UsageError for anything else."""
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise UsageError(f"{path} is too large for a saved plan", hint=_SAVE)
        raw = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_SAVE) from None
    try:
        data: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON, or was cut off", hint=_SAVE) from None
    if isinstance(data, dict) and data.get("kind") == saved_plan.KIND:
        data = saved_plan.parse_plan(raw, Path(path).name).review
        if data is None:
            raise UsageError(f"{path} is a plan without a review", hint=_SAVE)
    try:
        review = Review.from_json(data)
        _check(review)
        return review
    except UsageError as error:
        newer = "upgrade" in error.hint
        raise UsageError(f"{path}: {error.message}", hint=error.hint if newer else _SAVE) from None
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError):
        raise UsageError(f"{path} is not a saved review", hint=_SAVE) from None


def _check(review: Review) -> None:
    """Raise ValueError for words that this version does not know: what they mean would be lost."""
    steps = [*review.steps, *review.tool_changes]
    for known, found in (
        (Operation, {each.step.op for each in steps}),
        (Noise, {each.noise for each in steps}),
        (CauseKind, {cause.kind for each in steps for cause in each.causes}),
        (RiskKind, {risk.kind for risk in review.risks}),
        (Severity, {finding.severity for finding in review.policies}),
    ):
        if unknown := found - set(get_args(known)):
            raise ValueError(unknown)


def rendered(
    review: Review, platform: Platform, source: str, *, run: int = 0, details_url: str = ""
) -> str:
    """The comment; what a file holds in a wrong place is that file's error, and nothing is posted."""
    try:
        return to_markdown(review, platform, run=run, details_url=details_url)
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError):
        raise UsageError(f"{source} is not as a saved review is", hint=_SAVE) from None
