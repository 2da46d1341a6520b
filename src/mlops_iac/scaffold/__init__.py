"""What `init` writes for a newcomer: a project that can be validated, deployed and run at once."""

from __future__ import annotations

from mlops_iac.scaffold.render import default_answers, scaffold

__all__ = ["default_answers", "scaffold"]
