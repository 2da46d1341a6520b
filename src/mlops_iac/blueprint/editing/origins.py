"""Which line of the first text every line of the present one comes from."""

from __future__ import annotations

from mlops_iac.blueprint.editing.marks import BREAK
from mlops_iac.blueprint.editing.splices import Splice


class Origins:
    """Line numbers from 1; 0 for a line that was not in the first text."""

    def __init__(self, text: str) -> None:
        self._lines = list(range(1, len(BREAK.findall(text)) + 2))

    def copy(self) -> Origins:
        """Return another one with the same lines."""
        other = Origins("")
        other._lines = list(self._lines)
        return other

    def line(self, number: int) -> int:
        """The first text's number of a present line."""
        return self._lines[number - 1] if number <= len(self._lines) else 0

    def splice(self, text: str, change: Splice) -> None:
        """Follow a change that is about to be made in `text`."""
        breaks = [found.end() for found in BREAK.finditer(text)]
        first = sum(at <= change.start for at in breaks)
        last = sum(at <= change.end for at in breaks)
        begins = change.start == (breaks[first - 1] if first else 0)
        ends = change.end == len(text) or BREAK.match(text, change.end) is not None
        pieces = len(BREAK.findall(change.text)) + 1
        if pieces == 1:
            new = [self._lines[last if begins and last > first else first]]
        else:
            new = [self._from(change, index) for index in range(pieces)]
            if not begins:
                new[0] = self._lines[first]
            if begins or not ends:
                new[-1] = self._lines[last]
        self._lines[first : last + 1] = new

    def _from(self, change: Splice, index: int) -> int:
        inside = change.source and index >= change.lead
        return self.line(change.source + index - change.lead) if inside else 0
