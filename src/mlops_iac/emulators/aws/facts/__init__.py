"""What the real AWS provider says about each property of each resource type.

The JSON files beside this module are written by `tools/aws_facts`, by asking `hashicorp/aws`, the
code that pulumi-aws bridges. pulumi-aws 7 bridges a later major version than the one asked.
"""

from __future__ import annotations

from pathlib import Path

from mlops_iac.emulators.common.facts import Facts

FACTS = Facts(Path(__file__).parent)
