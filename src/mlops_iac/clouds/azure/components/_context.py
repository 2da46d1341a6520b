"""Where a component's resources stand: read off the stack, and out of ids."""

from __future__ import annotations

import pulumi

from ._naming import stem


def start() -> str:
    """What every literal name of this stack begins with."""
    return stem(pulumi.get_project(), pulumi.get_stack())


def subscription_of(id_: pulumi.Input[str]) -> pulumi.Output[str]:
    """`/subscriptions/ID` of a resource's id."""
    return pulumi.Output.from_input(id_).apply(lambda known: "/".join(known.split("/")[:3]))
