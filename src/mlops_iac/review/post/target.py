"""Where a comment goes: flags first, then the variables that each platform's CI sets.

Tokens come from variables alone: a flag stands in process lists and logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_iac.errors import AuthenticationError, UsageError
from mlops_iac.review.escape import Platform, visible
from mlops_iac.review.post.comments import Comments
from mlops_iac.review.post.hosts import HOSTS
from mlops_iac.review.post.http import Http, checked_address

_PULL_REF = re.compile(r"refs/pull/(\d+)/(?:merge|head)")


@dataclass(frozen=True, slots=True)
class Target:
    """A pull request, and what is known of the CI run that posts.

    `run` is 0 and `details_url` empty where they are not known.
    """

    platform: Platform
    repo: str
    number: int
    api_url: str
    run: int = 0
    details_url: str = ""


def find_target(
    platform: Platform,
    environment: Mapping[str, str],
    *,
    repo: str | None = None,
    number: int | None = None,
    api_url: str | None = None,
    of_number: bool = True,
) -> Target:
    """The pull request meant, or, unless `of_number`, its repository with the number 0.

    Raises UsageError that names the flags that would say it.
    """
    host = HOSTS[platform]
    repo = repo or _said(host.repo, environment)
    found = str(number) if number is not None else _said(host.number, environment)
    if platform == "github":
        found = found or _number_on_github(environment)
    api_url = api_url or _said(host.api, environment)
    needed = {"--repo": repo, "--number": found if of_number else "0", "--api-url": api_url}
    if missing := [flag for flag, value in needed.items() if not value]:
        what = "pull request" if of_number else "repository"
        raise UsageError(
            f"which {what} of {host.name}? Neither flags nor the variables of its CI"
            f" say it: {', '.join(missing)}",
            hint=_elsewhere(platform, environment) or f"give {' and '.join(missing)}",
        )
    if not re.fullmatch(host.repository, repo) or ".." in repo:
        raise UsageError(
            f"{visible(repo, 80)!r} is no repository of {host.name}",
            hint="project/repository" if platform == "azure-devops" else "owner/name",
        )
    if of_number and not re.fullmatch(r"[1-9]\d{0,17}", found):
        raise UsageError(f"{visible(found, 40)!r} is no pull request's number", hint="--number 12")
    run = _said(host.run, environment)
    return Target(
        platform=platform,
        repo=repo,
        number=int(found) if of_number else 0,
        api_url=checked_address(api_url),
        run=int(run) if run.isdecimal() and len(run) < 19 else 0,
        details_url=_said(host.details, environment),
    )


def connect(target: Target, environment: Mapping[str, str], *, timeout: float = 20.0) -> Comments:
    """The comments of a target. Raises AuthenticationError where no token is set."""
    http = asked(target, environment, timeout=timeout)
    return Comments(http, HOSTS[target.platform], target.repo, target.number)


def asked(target: Target, environment: Mapping[str, str], *, timeout: float = 20.0) -> Http:
    """How a platform is asked, with the job's token. Raises AuthenticationError without one."""
    host = HOSTS[target.platform]
    variable = next((name for name in host.tokens if environment.get(name, "").strip()), "")
    if not variable:
        raise AuthenticationError(
            f"no token for {host.name}: {' or '.join(host.tokens)} is not set",
            hint="pass it to this step as a variable; a flag would stand in the log",
        )
    token = environment[variable].strip()
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise AuthenticationError(f"the token in {variable} has characters that no token has")
    headers = host.headers(token, variable, environment)
    credentials = [value.partition(" ")[2] or value for value in headers.values()]
    secrets = [token, *(each for each in credentials if len(each) >= len(token))]
    return Http(host.name, target.api_url, headers, tuple(secrets), timeout=timeout)


def _said(templates: Sequence[str], environment: Mapping[str, str]) -> str:
    """The first template whose variables are all set; empty where there is none."""
    known = {name: value.rstrip("/") for name, value in environment.items() if value}
    for template in templates:
        try:
            return template.format_map(known)
        except KeyError:
            continue
    return ""


def _number_on_github(environment: Mapping[str, str]) -> str:
    """That of the ref, else of the event, whose ref may be another (`pull_request_target`)."""
    if match := _PULL_REF.fullmatch(environment.get("GITHUB_REF", "")):
        return match[1]
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        if "workflow_run" in event:
            found = event["workflow_run"]["pull_requests"]
            return str(found[0]["number"]) if len(found) == 1 else ""
        return str(event["pull_request"]["number"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""


def _elsewhere(platform: Platform, environment: Mapping[str, str]) -> str:
    """A hint where this is another platform's CI."""
    here = [name for name, host in HOSTS.items() if environment.get(host.ci)]
    if len(here) != 1 or here[0] == platform:
        return ""
    return f"this job runs on {HOSTS[here[0]].name}: --platform {here[0]}"
