"""Opening the pull request of a branch, or rewriting the one that is open: never a second one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from mlops_iac.errors import MlopsError
from mlops_iac.review.post.comments import address, listed
from mlops_iac.review.post.hosts import Branches, Host
from mlops_iac.review.post.http import Http, Uncertain, at, shaped

_SHORTENED: Final = "\n\n*Shortened to fit; all of it stands in the log of the run.*\n"


@dataclass(frozen=True, slots=True)
class Opened:
    """What was done with which pull request."""

    action: Literal["opened", "rewritten"]
    number: int
    url: str


def open_or_rewrite(
    http: Http, host: Host, repo: str, branches: Branches, title: str, body: str
) -> Opened:
    """Bring title and description into the open pull request of these branches, or open it.

    Raises AuthenticationError, TimedOut, UsageError or MlopsError.
    """
    text = {"title": title, host.description: shortened(body, host.longest)}
    for last in (False, True):
        if number := _number(http, host, repo, branches):
            url = address(http, host, repo, f"{host.pulls}/{number}")
            return Opened("rewritten", number, _url(http.ask(host.rewrite, url, text).data, host))
        new = {**host.new_pull(branches), **text}
        try:
            made = http.ask("POST", address(http, host, repo, host.pulls), new, once=True)
        except Uncertain:  # the next look tells whether it is there
            if last:
                raise
            continue
        number = shaped(at(made.data, host.pull_number), int, host.name)
        return Opened("opened", number, _url(made.data, host))
    raise MlopsError(f"{host.name}: it does not say whether the pull request is open")


def shortened(body: str, most: int) -> str:
    """The description, cut after a paragraph where it is longer than the platform takes."""
    if len(body) <= most:
        return body
    kept = body[: most - len(_SHORTENED)]
    return (kept.rpartition("\n\n")[0] or kept) + _SHORTENED


def _number(http: Http, host: Host, repo: str, branches: Branches) -> int:
    query = urlencode(host.open(repo, branches), quote_via=quote, safe="")
    for item in listed(http.ask("GET", address(http, host, repo, host.pulls, query)).data, host):
        # A fork's branch may have the same name; GitLab alone lists those, and says it so.
        if item.get("source_project_id") == item.get("target_project_id"):
            return int(shaped(item.get(host.pull_number), int, host.name))
    return 0


def _url(data: Any, host: Host) -> str:
    """Where people see it, where the answer says so."""
    found = at(data, host.url) if host.url else ""
    return found if isinstance(found, str) else ""
