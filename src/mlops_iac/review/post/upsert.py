"""Create the comment or rewrite it; never a second one, never a deletion.

Two runs may find nothing and both create. So after creating, the comments are listed again: the
oldest one stays and gets this run's text, every younger one is rewritten into a line that says where
to look, under a marker that no run takes for a preview. Nothing is deleted, because a deletion that
meets a rewrite loses both, and because people may have answered. Where runs carry a number, an
older one never writes over a newer one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
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
    run = _Run(comments, body, marker, platform, comments.identity())
    uncertain: Uncertain | None = None
    for _ in range(_ROUNDS):
        own = run.own()
        try:
            if own:
                return run.rewrite(own)
            created = comments.create(body)
        except NotOurs:
            run.foreign.add(own[0].comment.id)
            continue
        except Gone:
            continue
        except Uncertain as error:
            # The next look tells whether it is there.
            uncertain = error
            continue
        run.confirm(created)
        return run.alone(created)
    raise MlopsError(
        uncertain.message if uncertain else "the comment vanishes as often as it is written",
        hint="it may or may not be there; run it again, which finds it if it is",
    )


@dataclass(slots=True)
class _Run:
    """One post. `foreign` are comments that turned out to be somebody else's."""

    comments: Comments
    body: str
    marker: Marker
    platform: Platform
    me: str | None
    foreign: set[int] = field(default_factory=set)

    def own(self) -> list[_Own]:
        """Comments of this subject that this token wrote, oldest first.

        A marker alone is no proof: anyone can copy one into a comment of theirs.
        """
        own = []
        for comment in self.comments.all():
            if comment.id in self.foreign or self.me not in (None, comment.author):
                continue
            other = read_marker(comment.body)
            if other is not None and not other.duplicate and other.same_subject(self.marker):
                # Whose it is, is not known: a number of theirs would keep every run of ours away.
                own.append(_Own(comment, other if self.me is not None else replace(other, run=0)))
        return sorted(own, key=lambda each: each.comment.id)

    def alone(self, created: Comment) -> Posted:
        """Look once more after creating, and leave one comment."""
        own = self.own()
        if all(each.comment.id != created.id for each in own):
            own.append(_Own(created, self.marker))
        own.sort(key=lambda each: each.comment.id)
        if own[0].comment.id == created.id:
            self._neutralise(own[1:])
            return Posted("created", created)
        try:
            return self.rewrite(own)
        except (NotOurs, Gone):
            # The elder one cannot be had, so the one just made is the one.
            return Posted("created", created)

    def rewrite(self, own: list[_Own]) -> Posted:
        """Bring the text into the oldest one, unless a newer run has been there."""
        oldest = own[0]
        if oldest.marker.run > self.marker.run > 0:
            posted = Posted("outdated", oldest.comment)
        elif oldest.comment.body.replace("\r\n", "\n").rstrip() == self.body.rstrip():
            posted = Posted("unchanged", oldest.comment)
        else:
            posted = Posted("rewritten", self.comments.rewrite(oldest.comment, self.body))
            self.confirm(posted.comment)
        self._neutralise(own[1:])
        return posted

    def confirm(self, written: Comment) -> None:
        """What the platform says it has is what it was given."""
        if read_marker(written.body) != self.marker:
            raise MlopsError(
                "the platform answers with another comment than was written",
                hint="look at the pull request: its comment may not be this preview",
            )

    def _neutralise(self, younger: list[_Own]) -> None:
        for each in younger:
            line = replace(each.marker, duplicate=True).line(self.platform)
            with suppress(NotOurs, Gone):
                self.comments.rewrite(each.comment, f"{line}\n\n{_DUPLICATE}\n")
