"""What Azure ML support decides about every field of the language: planned, or refused and why.

Each part of a stack decides about its own; here is what none does.
"""

from __future__ import annotations

from mlops_iac.clouds.azure.ml.parts import Mode, Part
from mlops_iac.clouds.azure.ml.stack import MODES, PARTS
from mlops_iac.clouds.base import Refusal
from mlops_iac.clouds.decisions import Decisions
from mlops_iac.clouds.parts import prefixed

_MODES = tuple(mode.name for mode in MODES)

# What no part of a stack decides about. Options of other platforms are theirs to read.
_PLANNED = (
    *prefixed(
        "",
        "blueprint name extends owner tags.* platform region account overrides.** state.backend "
        "state.secrets_provider tracking orchestration approval timezone options.*",
    ),
    *prefixed("exceptions.*.", "at reason until"),
)

_YET = "it is not planned on Azure ML yet"
_REFUSED: tuple[Refusal, ...] = (
    *(
        Refusal(section, _YET, f"deploy it on another platform, or leave `{section}` out")
        for section in ("features",)
    ),
    Refusal("serving", "nothing yet puts a model's code into an endpoint", "leave it out"),
    Refusal(
        "serving.*.mode", "only real-time is planned on Azure ML yet", "write `real-time`", _MODES
    ),
    Refusal("moved", "there is nothing yet that could have had another name", "leave it out"),
    Refusal(
        "delivery",
        "deliveries are not generated yet",
        "run `mlops-iac up -s ENVIRONMENT --yes` in a workflow of your own",
    ),
    Refusal("secrets", "no step or endpoint takes secrets yet", "leave it out"),
    Refusal("deploy_as", "who deploys is whoever signs in", "sign in as that identity"),
    Refusal(
        "security.network", "private networks are not planned yet", "write `public`", ("public",)
    ),
    Refusal("security.egress", "there is nothing yet that reaches out", "write `all`", ("all",)),
    Refusal(
        "security.keys", "keys of one's own are not planned yet", "write `provider`", ("provider",)
    ),
    Refusal("security.audit_log", "it is not kept yet", "write `false`", (False,)),
    Refusal("security.access", "there is nothing yet to approve", "leave it out"),
    Refusal(
        "security.identity", "Azure authenticates callers by Microsoft Entra ID", "leave it out"
    ),
    Refusal("existing", "what exists already is not taken up yet", "leave it out"),
    Refusal(
        "tracking",
        "the workspace has MLflow's tracking itself",
        "write `native`",
        ("native", "mlflow"),
    ),
    Refusal("orchestration", "Azure ML runs the steps", "write `native`", ("native",)),
    Refusal("approval", "deployments wait for nobody yet", "write `none`", ("none",)),
)


def _of(mode: str) -> list[Part]:
    """Who decides about the entries of a mode, and about what stands in no entry."""
    return [part for part in PARTS if not isinstance(part, Mode) or part.name == mode]


DECISIONS = Decisions(
    "Azure ML",
    _MODES,
    lambda mode: [*_PLANNED, *(pattern for part in _of(mode) for pattern in part.planned)],
    lambda mode: [*_REFUSED, *(rule for part in _of(mode) for rule in part.refused)],
)
