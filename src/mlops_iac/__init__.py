"""From one typed blueprint to a previewed and deployed MLOps platform.

    import mlops_iac

    project = mlops_iac.load("blueprint.yaml")
    project.compile()                     # the Pulumi program and a lock file per stack
    plan = project.preview("prod")        # against the lock, without credentials
    with project.deployment("local") as deployment:
        result = deployment.up()          # the emulated cloud, started on demand

Everything public is here; errors are `mlops_iac.errors`. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import sys

# `python -m mlops_iac` looks for modules in the working folder first, and a checkout may have any.
if (
    sys.argv[:1] == ["-m"]  # for as long as the module is being looked for
    and not sys.flags.safe_path
    and sys.orig_argv[-len(sys.argv)].removeprefix("-m").partition(".")[0] == __name__
):
    del sys.path[0]

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Project", "__version__", "load", "validate"]

if TYPE_CHECKING:
    from mlops_iac.api import Project, load, validate


def __getattr__(name: str) -> Any:
    if name in ("Project", "load", "validate"):
        from mlops_iac import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
