"""What is known of an ephemeral stack, and where it is kept: in a tag of the stack itself.

The tag says from which environment it was made and when it ends. It is written before the first
resource is, so that an `up` that fails half way is found too; an output comes last, and only where
all went well. It is read without the program or the blueprint it was made from. The resources carry
tags of the same meaning for people, and what they say must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_iac.errors import UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.stack_state import State

DEFAULT_TTL = timedelta(hours=24)
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=90)

# Of the stack: `BASE until TIME`, one tag and so one write.
# Source of the form: pulumi pkg/backend, stack tag names `[\w.:-]{1,40}`, values of 256 characters.
STACK_TAG = "mlops-iac:ephemeral"
# Of every resource.
TAG, TAG_EXPIRES = "ephemeral", "expires"

_PART = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class EphemeralRecord(Record):
    """What is kept of one: the environment it was made from, and its end, in UTC."""

    base: str
    expires: datetime

    @property
    def expires_text(self) -> str:
        """ISO 8601, `2026-11-22T10:00:00Z`."""
        return self.expires.strftime(_TIME)

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires <= now

    @property
    def stack_tags(self) -> dict[str, str]:
        """How it stands in the tags of the stack."""
        return {STACK_TAG: f"{self.base} until {self.expires_text}"}

    @property
    def resource_tags(self) -> dict[str, str]:
        """How it stands in the tags of every resource."""
        return {TAG: "true", TAG_EXPIRES: self.expires_text}


def parse_ttl(text: str) -> timedelta:
    """`30m`, `24h`, `7d`, `1d12h`. Raises UsageError for anything else, and for too long a time."""
    parts = _PART.findall(text)
    hint = "write minutes, hours, days or weeks: 30m, 24h, 7d, 2w"
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise UsageError(f"'{text[:40]}' is no time to live", hint=hint)
    if len({unit for _, unit in parts}) < len(parts):
        raise UsageError(f"'{text[:40]}' says a unit twice", hint=hint)
    found = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    if not SHORTEST <= found <= LONGEST:
        raise UsageError(
            f"an ephemeral stack cannot live for {text}",
            hint=f"at least a minute, at most {LONGEST.days} days; declare one that is to stay",
        )
    return found


def record_of(state: State) -> EphemeralRecord | None:
    """What a stack says of itself, None where it is not ephemeral or does not say until when.

    Its tag counts, and what it holds must agree: a stack whose resources were not deployed as
    ephemeral ones is none, whatever its tag says.
    """
    base, found, until = state.tags.get(STACK_TAG, "").partition(" until ")
    if not base or not found:
        return None
    if any(tags.get(TAG) != "true" for tags in _tags(state)):
        return None
    try:
        return EphemeralRecord(base, datetime.strptime(until, _TIME).replace(tzinfo=UTC))
    except ValueError:
        return None


def _tags(state: State) -> Iterator[Mapping[str, Any]]:
    """The tags of its resources, those that the stack put there."""
    for item in state.resources:
        tags = item.inputs.get("tags")
        if isinstance(tags, Mapping) and tags.get("environment") == state.stack:
            yield tags
