"""The typed public API: load, resolve, compile, preview, up. The CLI adds words and pictures.

In layers, each on those before it: `core`, what a project says; `compile`, its program and what that
makes; `compare`, what a change does; `deploy`, stacks and their engines; `models` and `status`, what
they hold; `stacks`, `templates` and `ci`, what is done with environments, templates and workflows;
`project`, the verbs, and `kinds`, other projects that have them; `fleet`, many projects at once.
"""

from __future__ import annotations

from mlops_iac.api.compile.checks import validate
from mlops_iac.api.project import Project, load

__all__ = ["Project", "load", "validate"]
