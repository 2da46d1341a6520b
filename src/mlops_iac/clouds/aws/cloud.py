"""AWS, as the rest knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_iac.clouds.aws.forms import FORMS

if TYPE_CHECKING:
    from mlops_iac.clouds.access import Access
    from mlops_iac.clouds.knowledge import Knowledge

__all__ = ["AWS", "Aws"]

# By the version that this release was tested against.
_SDKS = {"pulumi-aws": "7.51.1"}


class Aws:
    """The cloud `aws`."""

    name = "aws"
    label = "AWS"
    packages: Sequence[str] = ("aws",)
    sdks: Mapping[str, str] = _SDKS
    forms = FORMS

    @cached_property
    def knowledge(self) -> Knowledge:
        """What is true of its types."""
        from mlops_iac.clouds.aws.knowledge import AwsKnowledge

        return AwsKnowledge()

    @cached_property
    def access(self) -> Access:
        """How what is deployed is reached."""
        from mlops_iac.clouds.aws.access import AwsAccess

        return AwsAccess()


AWS = Aws()
