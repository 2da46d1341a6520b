"""Everything that can be planned, before the same judges as the example."""

from __future__ import annotations

import pytest

from mlops_iac.api import load
from tests.oracles.concrete import concrete
from tests.oracles.test_cfn_lint import lint
from tests.oracles.test_parliament import findings
from tests.oracles.to_cloudformation import to_cloudformation
from tests.sagemaker_blueprints import MAXIMAL, PRIVATE, write


# The rules load once, so all of it goes to one worker.
# Ids of the form that AWS gives.
def _real_ids(text):
    return text.replace("[subnet-1, subnet-2]", "[subnet-0a1b2c3d, subnet-4e5f6a7b]").replace(
        "[sg-1]", "[sg-0a1b2c3d]"
    )


STACKS = [(text, name) for text in (MAXIMAL, PRIVATE) for name in ("dev", "prod")]


@pytest.fixture(scope="module", params=STACKS, ids=["dev", "prod", "dev, private", "prod, private"])
def graph(request, tmp_path_factory):
    text, stack = request.param
    return load(write(tmp_path_factory.mktemp("maximal"), _real_ids(text))).capture(stack)


def test_its_policies_have_no_findings(graph):
    assert findings(graph) == []


def test_its_template_has_no_findings(graph):
    assert lint(to_cloudformation(concrete(graph))) == []
