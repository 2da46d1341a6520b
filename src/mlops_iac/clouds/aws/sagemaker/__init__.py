"""SageMaker: a resolved blueprint in, component calls out.

`stack` puts the parts of a plan in order: blocks, and modes of serving, which say all that follows from
them. `decisions` says field by field what is planned and what is refused, `checks` what is refused for
its value; `machines` finds instance types and images, `guide` tells people. Nothing here imports Pulumi:
plans are made where no provider SDK is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.clouds.base import ComponentCall, Condition, Home, Mode, Pass
from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from mlops_iac.clouds.aws.session import AwsSession
    from mlops_iac.clouds.base import Runnable
    from mlops_iac.clouds.operations import Operations

__all__ = ["SAGEMAKER", "SageMaker"]


class SageMaker:
    """The platform `sagemaker`."""

    name = "sagemaker"
    cloud = "aws"

    @property
    def regions(self) -> Sequence[str]:
        """Regions that have SageMaker."""
        from mlops_iac.clouds.aws.catalogue import regions

        return regions()

    @property
    def modes(self) -> Sequence[Mode]:
        """The ways to serve that are planned."""
        from mlops_iac.clouds.aws.sagemaker.modes import MODES

        return MODES

    def refuses(self, path: str, value: Any) -> str | None:
        """Why a field is refused, for the language reference."""
        from mlops_iac.clouds.aws.sagemaker.decisions import DECISIONS

        return DECISIONS.refuses(path, value)

    def check(self, resolved: Any) -> list[Diagnostic]:
        """What cannot be planned of one environment, with places and what would work."""
        from mlops_iac.clouds.aws.sagemaker.checks import check
        from mlops_iac.clouds.aws.sagemaker.scope import Scope

        return check(Scope(resolved))

    def plan(self, resolved: Any) -> list[ComponentCall]:
        """The component calls of one environment. `check` has found no errors."""
        from mlops_iac.clouds.aws.sagemaker.scope import Scope
        from mlops_iac.clouds.aws.sagemaker.stack import plan

        return plan(Scope(resolved))

    def guide(
        self, environments: Mapping[str, Any], plans: Mapping[str, Sequence[ComponentCall]]
    ) -> str:
        """What the program's README says of settings, rights and what is done by hand."""
        from mlops_iac.clouds.aws.sagemaker.guide import guide
        from mlops_iac.clouds.aws.sagemaker.scope import Scope

        return guide({name: Scope(item) for name, item in environments.items()}, plans)

    def provider_config(self, resolved: Any) -> Mapping[str, Any]:
        """Region, how names are made, the one account that may be deployed to, and by which role."""
        from mlops_iac.clouds.aws.components._naming import automatic_names

        blueprint = resolved.blueprint
        config: dict[str, Any] = {
            "aws:region": blueprint.region,
            "pulumi:autonaming": automatic_names(blueprint.name, resolved.environment),
        }
        # `local` has the emulator's account and no roles to take on.
        if resolved.environment == "local":
            return config
        if blueprint.account is not None:
            config["aws:allowedAccountIds"] = [blueprint.account]
        if blueprint.deploy_as is not None:
            config["aws:assumeRoles"] = [{"roleArn": blueprint.deploy_as}]
        return config

    def passes(self, resolved: Any, outputs: Callable[[], Mapping[str, Any]]) -> Sequence[Pass]:
        """None: one run of the program puts everything in order."""
        return ()

    def home(self, resolved: Any, model: str) -> Home:
        """Where versions of a model are approved."""
        from mlops_iac.clouds.aws.sagemaker.scope import Scope

        return Scope(resolved).home(model)

    def marks(self, resolved: Any) -> str:
        """How names begin, and the tag of keys, which have no names."""
        from mlops_iac.clouds.aws.components._naming import stem
        from mlops_iac.clouds.aws.sagemaker.scope import STACK_TAG, Scope

        start = stem(resolved.name, resolved.environment)
        tag = Scope(resolved).tags[STACK_TAG]
        return f"names begin with {start}-, keys have the tag {STACK_TAG}={tag}"

    def conditions(self, resolved: Any, session: AwsSession) -> Iterable[Condition]:
        """None: an account has every service from its first day."""
        return ()

    @property
    def operations(self) -> Operations:
        """What it is asked once something stands."""
        from mlops_iac.clouds.aws.sagemaker import operations

        return operations

    def lifecycles(self, resolved: Any) -> Mapping[str, Any]:
        """What the pipeline of each model that is trained is printed of."""
        from mlops_iac.clouds.aws.sagemaker.local import lifecycles
        from mlops_iac.clouds.aws.sagemaker.scope import Scope

        return lifecycles(Scope(resolved))

    def deployed(self, kept: Any, definition: str, session: AwsSession) -> Runnable | None:
        """What a deployed pipeline does, to be run on this machine."""
        from mlops_iac.clouds.aws.sagemaker.local import deployed

        return deployed(kept, definition, session.client)


SAGEMAKER = SageMaker()
