"""The fake cloud, as the rest knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_iac.clouds.knowledge import Forms

if TYPE_CHECKING:
    from mlops_iac.clouds.access import Access
    from mlops_iac.clouds.knowledge import Knowledge

FORMS = Forms(
    account="fake-local",
    example_account="fake-4711",
    example_region="left",
    region=r"left|right",
    placeholders=r"fake-0000",
    reference=r"fake://",
    secret_stores=("fake://vault/",),
    credentials={"a fake key": r"\bFAKEKEY[0-9]{8}\b"},
)


class Fake:
    """The cloud `fake`."""

    name = "fake"
    label = "Fake"
    packages: Sequence[str] = ("fake",)
    sdks: Mapping[str, str] = {"mlops-iac-fake": "1.0.0", "pulumi-fake": "1.0.0"}
    forms = FORMS

    @cached_property
    def knowledge(self) -> Knowledge:
        from fake_cloud.knowledge import FakeKnowledge

        return FakeKnowledge()

    @cached_property
    def access(self) -> Access:
        from fake_cloud.access import FakeAccess

        return FakeAccess()


FAKE = Fake()
