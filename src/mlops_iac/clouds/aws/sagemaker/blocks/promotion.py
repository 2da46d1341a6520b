"""Models that another account trained: what lets this stack serve them, and lets others serve its own."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Setting

# The call that lets the endpoint role read what another account trained.
PROMOTION = "promotion"
READERS = "promotion.reader_accounts"
ORIGINS = "promotion.origin_accounts"
ORIGIN_STACKS = "promotion.origin_stacks"
PROMOTES = "promotion.reads_other_accounts"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    accounts, stacks = promoting(scope)
    homes = [scope.resolved.siblings[scope.home(name).environment] for name in scope.promoted]
    yield call(
        PROMOTION,
        "promotion:Promotion",
        {
            "role_arn": Ref("identity", "endpoint_role_arn"),
            "accounts": Setting(accounts, ORIGINS),
            "stacks": Setting(stacks, ORIGIN_STACKS),
            "encrypted": any(Scope(home).customer_key for home in homes),
        },
        path="promotion",
        flag=PROMOTES,
    )


def promoting(scope: Scope) -> tuple[list[str], list[str]]:
    """Accounts and stacks whose models the endpoint role must read; a role of the user's is theirs."""
    if scope.blueprint.existing.roles.serve is not None:
        return [], []
    served = machines.served(scope)
    homes = [scope.home(name) for name in scope.promoted if name in served]
    accounts = {home.account for home in homes if home.account}
    return sorted(accounts), sorted({home.stem for home in homes})


def readers(scope: Scope) -> Setting | None:
    """Accounts that serve what is trained here; not said where no environment promotes."""
    return Setting(scope.all_readers, READERS) if promotes(scope) else None


def promotes(scope: Scope) -> bool:
    """Whether any environment takes models from another: then all say who reads."""
    return any(
        model.promote_from
        for other in scope.resolved.siblings.values()
        for model in other.blueprint.models.values()
    )


PROMOTING = Part(
    there=lambda scope: promoting(scope)[0],
    plan=_plan,
    names=lambda _: [(PROMOTION, "")],
    deployed=Deployed(
        actions={"Promotion": ("iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy")},
    ),
    settings={
        READERS: "accounts that serve models trained here: they may read and decrypt them",
        PROMOTES: "whether the endpoints serve models that another account trained, and may read"
        " and decrypt them there",
        ORIGINS: "the accounts that trained what the endpoints serve",
        ORIGIN_STACKS: "what the names of the stacks that did so begin with",
    },
)
