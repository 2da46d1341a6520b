"""What every cloud says of its types and texts holds together."""

from __future__ import annotations

import re

import pytest

from mlops_iac.blueprint.placeholders import is_placeholder
from mlops_iac.clouds import registry
from mlops_iac.clouds.cloud import Cloud
from mlops_iac.clouds.knowledge import TypeFacts

CLOUDS = pytest.mark.parametrize("cloud", registry.clouds(), ids=lambda each: each.name)


@CLOUDS
def test_types_are_of_the_cloud_and_say_something(cloud: Cloud) -> None:
    for token, facts in cloud.knowledge.types.items():
        assert registry.cloud_of(token) is cloud
        assert registry.facts_of(token) is facts
        assert facts != TypeFacts()
        assert facts.holds or not (facts.precious or facts.remade), token
        assert facts.guards or not facts.closes_network, token
        assert facts.answers or not facts.endpoint, token
        # What data is lost with says whose it is.
        assert facts.tagged or not facts.precious, token


@pytest.mark.parametrize("token", ["random:index/randomId:RandomId", "mlops-iac:a:B", "", "none"])
def test_of_what_no_cloud_knows_nothing_is_said(token: str) -> None:
    assert registry.cloud_of(token) is None
    assert registry.facts_of(token) == TypeFacts()


@CLOUDS
def test_texts_are_of_the_forms_they_are_told_by(cloud: Cloud) -> None:
    forms = cloud.forms
    assert re.fullmatch(forms.region, forms.example_region)
    assert is_placeholder(forms.account)
    assert not is_placeholder(forms.example_account)


def test_every_platform_of_the_language_has_forms() -> None:
    assert set(registry.LANGUAGE) == {*registry.names(), *registry.not_yet()}
    for name in registry.names():
        platform = registry.platform(name)
        forms = registry.cloud(platform.cloud).forms
        assert registry.forms(name) is forms
        assert forms.example_region in platform.regions
        assert registry.options(name) is not None
    for name in (*registry.not_yet(), "no-platform"):
        assert registry.forms(name) is registry.forms(registry.DEFAULT)


def test_machines_of_one_family_are_compared_by_size() -> None:
    smaller = registry.cloud("aws").knowledge.smaller
    assert smaller("ml.m5.2xlarge", "ml.m5.xlarge")
    assert not smaller("ml.m5.large", "ml.m5.xlarge")
    assert not smaller("ml.m5.large", "ml.g5.large")
