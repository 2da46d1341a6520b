"""Create the comment or rewrite it; never a second one, never a deletion.

Two runs may find nothing and both create. So after creating, the comments are listed again: the
oldest one stays and gets this run's text, every younger one is rewritten into a line that says where
to look, under a marker that no run takes for a preview. Nothing is deleted, because a deletion that
meets a rewrite loses both, and because people may have answered. Where runs carry a number, an
older one never writes over a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from mlops_iac.errors import MlopsError
from mlops_iac.review.escape import Platform
from mlops_iac.review.marker import Marker, read_marker
from mlops_iac.review.post.comments import Comment, Comments, Gone, NotOurs
from mlops_iac.review.post.http import Uncertain

_ROUNDS: Final = 4
_DUPLICATE: Final = "This preview stands in an earlier comment: two runs posted at the same time."


@dataclass(frozen=True, slots=True)
class Posted:
    """What was done. `outdated`: a newer run had written already, so nothing was."""

    action: Literal["created", "rewritten", "unchanged", "outdated"]
    comment: Comment


@dataclass(frozen=True, slots=True)
class _Own:
    comment: Comment
    marker: Marker


def upsert(comments: Comments, body: str, platform: Platform) -> Posted:
    """Bring `body`, whose first line is its marker, into the pull request.

    Raises AuthenticationError, TimedOut, UsageError or MlopsError; then either nothing was written
    or, where that is said, one comment with this whole text.
    """
    marker = read_marker(body)
    if marker is None:
        raise AssertionError("the body has no marker")
    me = comments.identity()
    foreign: set[int] = set()
    uncertain: Uncertain | None = None
    for _ in range(_ROUNDS):
        own = [each for each in _own(comments.all(), marker, me) if each.comment.id not in foreign]
        try:
            if own:
                return _rewrite(comments, own, body, marker, platform)
            created = comments.create(body)
        except NotOurs:
            foreign.add(own[0].comment.id)
            continue
        except Gone:
            continue
        except Uncertain as error:
            # The next look tells whether it is there.
            uncertain = error
            continue
        _confirm(created, marker)
        return _alone(comments, created, body, marker, platform, me, foreign)
    raise MlopsError(
        uncertain.message if uncertain else "the comment vanishes as often as it is written",
        hint="it may or may not be there; run it again, which finds it if it is",
    )


def _alone(
    comments: Comments,
    created: Comment,
    body: str,
    marker: Marker,
    platform: Platform,
    me: str | None,
    foreign: set[int],
) -> Posted:
    """Look once more after creating, and leave one comment."""
    own = [each for each in _own(comments.all(), marker, me) if each.comment.id not in foreign]
    if all(each.comment.id != created.id for each in own):
        own.append(_Own(created, marker))
    own.sort(key=lambda each: each.comment.id)
    if own[0].comment.id == created.id:
        _neutralise(comments, own[1:], platform)
        return Posted("created", created)
    try:
        return _rewrite(comments, own, body, marker, platform)
    except (NotOurs, Gone):
        # The elder one cannot be had, so the one just made is the one.
        return Posted("created", created)


def _rewrite(
    comments: Comments, own: list[_Own], body: str, marker: Marker, platform: Platform
) -> Posted:
    oldest = own[0]
    if oldest.marker.run > marker.run > 0:
        _neutralise(comments, own[1:], platform)
        return Posted("outdated", oldest.comment)
    if _same(oldest.comment.body, body):
        posted = Posted("unchanged", oldest.comment)
    else:
        written = comments.rewrite(oldest.comment, body)
        _confirm(written, marker)
        posted = Posted("rewritten", written)
    _neutralise(comments, own[1:], platform)
    return posted


def _neutralise(comments: Comments, younger: list[_Own], platform: Platform) -> None:
    for each in younger:
        line = replace(each.marker, duplicate=True).line(platform)
        try:
            comments.rewrite(each.comment, f"{line}\n\n{_DUPLICATE}\n")
        except (NotOurs, Gone):
            continue


def _own(found: Iterable[Comment], marker: Marker, me: str | None) -> list[_Own]:
    """Comments of this subject that this token wrote, oldest first.

    A marker alone is no proof: anyone can copy one into a comment of theirs.
    """
    own = []
    for comment in found:
        if me is not None and comment.author != me:
            continue
        other = read_marker(comment.body)
        if other is not None and not other.duplicate and other.same_subject(marker):
            # Whose it is, is not known: a number of theirs would keep every run of ours away.
            own.append(_Own(comment, other if me is not None else replace(other, run=0)))
    return sorted(own, key=lambda each: each.comment.id)


def _confirm(written: Comment, marker: Marker) -> None:
    """What the platform says it has is what it was given."""
    if read_marker(written.body) != marker:
        raise MlopsError(
            "the platform answers with another comment than was written",
            hint="look at the pull request: its comment may not be this preview",
        )


def _same(old: str, new: str) -> bool:
    return old.replace("\r\n", "\n").rstrip() == new.rstrip()
