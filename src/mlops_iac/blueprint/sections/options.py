"""What one platform alone knows, typed: `options.<platform>`, at the top or in an entry.

A platform's section has only what that platform reads, and lies with it; a key that nothing reads is
an error.
"""

from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.sections.base import Field, Section
from mlops_iac.clouds import registry


class OtherPlatformOptions(Section):
    """A platform that is not supported yet: it has no options."""


class Options(Section):
    """Options of the stack, by platform."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class EntryOptions(Section):
    """Options of one entry, by platform."""


def _declare(section: type[Section], platform: str, own: type[Section] | None) -> None:
    name = platform.replace("-", "_")
    alias = {"alias": platform} if name != platform else {}
    described = f"For `platform: {platform}`"
    if own is not None:
        field = Field(default_factory=own, description=f"{described}.", **alias)
    else:
        field = Field(default=None, description=f"{described}: none yet.", **alias)
    setattr(section, name, field)
    section.__annotations__[name] = OtherPlatformOptions | None if own is None else own


for _name in registry.LANGUAGE:
    _own = registry.options(_name) or (None, None)
    _declare(Options, _name, _own[0])
    _declare(EntryOptions, _name, _own[1])
