"""How children are called whose names may be cut, and cut elsewhere than before a rename."""

from __future__ import annotations

from typing import NamedTuple

import pulumi

from ._context import if_long
from ._naming import SUFFIX, truncate

# The longest logical name of what takes 64 characters, which is cut whatever the stack is called.
_LOGICAL_LIMIT = 64 - SUFFIX


class Called(NamedTuple):
    """Logical and former logical name of a child, its literal name if it needs one, its options."""

    logical: str
    former: str
    name: str | None
    opts: pulumi.ResourceOptions


def called(parent: pulumi.Resource, own: str, was: str, limit: int) -> Called:
    """The child `own` of `parent`, `was` before a rename: what the cloud calls it stays as then.

    `limit` is how many characters its service takes.
    """
    if if_long(own, limit) and not if_long(was, limit):
        own = was  # a literal name in place of an automatic one would replace it
    logical, former = truncate(own, _LOGICAL_LIMIT), truncate(was, _LOGICAL_LIMIT)
    return Called(logical, former, if_long(was, limit), renamed(parent, logical, former))


def renamed(parent: pulumi.Resource, name: str, former: str) -> pulumi.ResourceOptions:
    """A child with a former name that does not follow from its parent's."""
    aliases = [pulumi.Alias(name=former)] if former != name else None
    return pulumi.ResourceOptions(parent=parent, aliases=aliases)
