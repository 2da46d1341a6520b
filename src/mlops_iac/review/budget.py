"""Fitting a comment into what a platform takes: whole rows and whole blocks, or none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops_iac.review.escape import utf16_length


@dataclass(slots=True)
class Section:
    """Items under a head; what of them stands in the comment is decided by `fit`.

    `render` gives an item's Markdown and is called only for those that are looked at. The first
    `essential` items come before everything that is not. `more` writes what was left out, in the
    section's own form; without it the section's loss is told at the end alone. A section without an
    item that fits is left out, head and all.
    """

    head: str
    items: Sequence[Any]
    render: Callable[[Any], str]
    tail: str = ""
    essential: int = 0
    more: Callable[[int], str] | None = None
    between: str = "\n"
    taken: list[str] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """How many items did not fit."""
        return len(self.items) - len(self.taken)

    def text(self) -> str:
        """The section's Markdown; empty where nothing of it fitted."""
        if not self.taken:
            return ""
        rest = [self.more(self.left_out)] if self.left_out and self.more else []
        tail = [self.tail] if self.tail else []
        return "\n".join([self.head, self.between.join([*self.taken, *rest]), *tail])


def fit(sections: Sequence[Section], room: int) -> int:
    """Take into each section what fits, in order of weight; return the room that is left.

    Essential items first, each section with a fair share of the room, so that a thousand risks
    cannot drive out the one deletion; then more of them; then the rest, section by section.
    """
    essential = [section for section in sections if section.essential]
    share = room // max(len(essential), 1)
    for section in essential:
        room -= share - _take(section, section.essential, share)
    for section in essential:
        room = _take(section, section.essential, room)
    for section in sections:
        room = _take(section, len(section.items), room)
    return room


def _take(section: Section, upto: int, room: int) -> int:
    """Add items from the front while they fit; what does not fit ends the section for this room."""
    for item in section.items[len(section.taken) : upto]:
        text = section.render(item)
        size = utf16_length(text) + len(section.between)
        if not section.taken:
            size += utf16_length(section.head) + utf16_length(section.tail) + 3
            # Room for the line that tells what was left out, should something be.
            size += utf16_length(section.more(len(section.items))) + 4 if section.more else 0
        if size > room:
            break
        section.taken.append(text)
        room -= size
    return room
