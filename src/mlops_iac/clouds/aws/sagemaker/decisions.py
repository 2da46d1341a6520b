"""What SageMaker support decides about every field of the language: planned, or refused and why.

Each part of a stack decides about its own; here is what none does.
"""

from __future__ import annotations

from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws.sagemaker.modes import MODES
from mlops_iac.clouds.aws.sagemaker.parts import Mode, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import STEPS
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.clouds.base import Refusal
from mlops_iac.clouds.decisions import Decisions

_MODES = tuple(mode.name for mode in MODES)
_STEPS = prefixed("models.*.", " ".join(STEPS))
_OTHER_MODE = Refusal(
    "serving.*.mode",
    f"only {listed(_MODES, 'and')} serving is planned yet",
    f"write {listed([f'`mode: {name}`' for name in _MODES], 'or')}",
    _MODES,
)

# What no part of a stack decides about. Options of other platforms are theirs to read, and entries
# have none on SageMaker yet.
_PLANNED = (
    *prefixed(
        "",
        "blueprint name description extends owner tags.* platform region timezone account deploy_as "
        "protect moved.* overrides.** state.backend state.secrets_provider tracking orchestration "
        "approval options.*",
    ),
    *prefixed("exceptions.*.", "at reason until"),
    *(
        each
        for owner in ("datasets.*", "models.*", *_STEPS, "serving.*")
        for each in (f"{owner}.options", f"{owner}.options.*")
    ),
)

_REFUSED: tuple[Refusal, ...] = (
    Refusal("features", "there is no feature store yet", "join the columns in prepare.py"),
    Refusal(
        "delivery",
        "deliveries are not generated yet",
        "run `mlops-iac up -s ENVIRONMENT --yes` in a workflow of your own",
    ),
    Refusal("secrets", "no step or endpoint takes secrets yet", "leave it out"),
    Refusal("security.identity", "SageMaker authenticates callers by IAM", "leave it out"),
    *(
        Refusal(f"existing.{name}", what, instead)
        for name, what, instead in (
            ("storage", "the stack makes its own buckets", "use its data as `source: s3://…`"),
            ("image_registry", "images come from AWS yet", "write `runtime: {image: …}`"),
            ("tracking", "there is no tracking server", "leave it out"),
            ("workspace", "SageMaker needs no workspace", "leave it out"),
            ("cluster", "SageMaker needs no cluster", "leave it out"),
            ("orchestrator", "SageMaker Pipelines run the steps", "leave it out"),
            ("model_registry", "the stack makes its own registry", "use `promote_from`"),
            ("domain", "endpoints have no domain of their own", "leave it out"),
            ("certificate", "endpoints have no certificate of their own", "leave it out"),
            ("code_connection", "deliveries are not generated yet", "leave it out"),
        )
    ),
    *(
        Refusal(
            f"{owner}.env.*.secret",
            "what a job or container has in its environment can be read by whoever describes it",
            "read the secret in the script",
        )
        for owner in ("models.*", *_STEPS, "serving.*")
    ),
    Refusal("orchestration", "SageMaker Pipelines run the steps", "write `native`", ("native",)),
    Refusal("approval", "deployments wait for nobody yet", "write `none`", ("none",)),
    _OTHER_MODE,
)


def _of(mode: str) -> list[Part]:
    """Who decides about the entries of a mode, and about what stands in no entry."""
    return [part for part in PARTS if not isinstance(part, Mode) or part.name == mode]


DECISIONS = Decisions(
    "SageMaker",
    _MODES,
    lambda mode: [*_PLANNED, *(pattern for part in _of(mode) for pattern in part.planned)],
    lambda mode: [*_REFUSED, *(rule for part in _of(mode) for rule in part.refused)],
)
