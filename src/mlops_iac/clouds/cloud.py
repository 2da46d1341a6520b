"""What is true of a cloud whatever is planned on it: the seam between it and the rest.

One object per cloud, found by name in `registry`. `knowledge` answers what its types are, without
asking anybody; `access` reaches what is deployed: the real cloud, and the emulated one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from mlops_iac.clouds.access import Access
from mlops_iac.clouds.knowledge import Forms, Knowledge


class Cloud(Protocol):
    """One cloud.

    `packages` are the Pulumi packages whose types are its own, `sdks` the distributions that
    a program with them needs, with the version that this release was tested against.
    """

    name: str
    label: str  # for people
    packages: Sequence[str]
    sdks: Mapping[str, str]
    forms: Forms

    @property
    def knowledge(self) -> Knowledge:
        """What is true of its types."""

    @property
    def access(self) -> Access:
        """How what is deployed is reached."""
