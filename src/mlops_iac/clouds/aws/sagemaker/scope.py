"""What the sections of a plan share: the blueprint of one environment and how values come from it."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from mlops_iac.blueprint import ResolvedBlueprint
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.torn import known_or
from mlops_iac.clouds import base, scope
from mlops_iac.clouds.aws import catalogue, runtime
from mlops_iac.clouds.aws.components._naming import PACKAGE_GROUP_LIMIT, physical_name, stem
from mlops_iac.clouds.base import Definition, Ref, Setting
from mlops_iac.clouds.scope import (
    STACK_TAG,
    STEPS,
    call_name,
    former_names,
    given,
    identifier,
    trained_here,
)

__all__ = [
    "COMPONENTS", "LOCAL", "NETWORK", "ROLES", "STACK_TAG", "STEPS", "Home", "Scope", "call",
    "call_name", "construct", "former_names", "function", "given", "identifier",
    "pipeline_variable", "registry_variable", "trained_here",
]  # fmt: skip

# Whose roles may be given (`existing.roles`): those of steps, and of what the stack itself does.
ROLES = (*STEPS, "pipeline", "serve", "seal")
COMPONENTS = "mlops_iac.clouds.aws.components"
# The call that puts jobs and endpoints into a private network.
NETWORK = "network"
call = partial(scope.call, COMPONENTS)
construct = partial(scope.construct, COMPONENTS)


class Home(base.Home):
    """A package group in one account and region; `stem` begins all names there."""

    stem: str

    @property
    def address(self) -> str:
        """Its ARN where the account is known, because it may be another one (ListModelPackages)."""
        if self.account is None:
            return self.group
        partition = catalogue.partition_of(self.region)
        start = f"arn:{partition}:sagemaker:{self.region}:{self.account}"
        return f"{start}:model-package-group/{self.group}"


class Scope(scope.Scope):
    """One environment that is being planned."""

    @property
    def partition(self) -> str:
        """The partition of its region; `aws` for a region that is told to be none."""
        region = known_or("", lambda: self.blueprint.region)
        return catalogue.partition_of(region) if catalogue.is_region(region) else "aws"

    @property
    def tracks(self) -> bool:
        """Whether an MLflow server keeps the runs of what is trained here."""
        return self.blueprint.tracking == "mlflow" and bool(self.trained)

    @property
    def permissions_boundary(self) -> Setting | None:
        """The boundary of every role."""
        arn = self.blueprint.options.sagemaker.permissions_boundary
        path = "options.sagemaker.permissions_boundary"
        return None if arn is None or self.is_local else Setting(arn, path)

    @property
    def customer_key(self) -> bool:
        """Whether data is encrypted with a key of the stack's or the user's own."""
        return self.blueprint.security.keys == "customer" or self.existing("key") is not None

    @property
    def data_key(self) -> Ref | None:
        """What data is encrypted under; None where the service does it."""
        return Ref("keys", "data_key_arn") if self.customer_key else None

    @property
    def is_private(self) -> bool:
        """Whether endpoints are called from a network alone."""
        return self.blueprint.security.network == "private"

    @property
    def makes_network(self) -> bool:
        """Whether that network is the stack's own."""
        return self.is_private and self.existing("subnets") is None

    @property
    def in_network(self) -> bool:
        """Whether jobs and containers run in a network, the stack's own or an existing one."""
        return self.is_private or self.existing("subnets") is not None

    @property
    def places(self) -> bool:
        """Whether a component says where jobs run: in all environments as soon as one is private."""
        return self.in_network and any(each.is_private for each in self.siblings)

    @property
    def isolates(self) -> bool:
        """Whether code in jobs and containers reaches no network at all."""
        return self.blueprint.security.egress == "none"

    @property
    def reaches_index(self) -> bool:
        """Whether jobs and containers may fetch packages: not from a network without a way out."""
        return not (self.makes_network or self.isolates)

    @property
    def encrypts_logs(self) -> bool:
        """Whether logs are under the stack's own key; a key of the user's admits no log service."""
        return self.owns_key and bool(self.makes_network or self.trained or self.blueprint.serving)

    @property
    def log_key(self) -> Ref | None:
        """What logs are encrypted under; None where the service does it."""
        return Ref("keys", "operations_key_arn") if self.encrypts_logs else None

    @property
    def topic(self) -> Ref | None:
        """Who is told by alarms; nobody where the blueprint names nobody."""
        return Ref("alerts", "topic_arn") if self.blueprint.alerts else None

    @property
    def told(self) -> Ref | None:
        """Who is told of events, likewise."""
        return Ref("alerts", "told") if self.blueprint.alerts else None

    @property
    def egress(self) -> Setting | None:
        """What containers may reach; not said where none is closed in any environment."""
        if not any(each.isolates for each in self.siblings):
            return None
        return Setting(self.blueprint.security.egress, "security.egress")

    @property
    def owns_key(self) -> bool:
        """Whether data is under a key of the stack's own, whose policy it writes."""
        return self.blueprint.security.keys == "customer" and self.existing("key") is None

    @property
    def audit_key(self) -> Ref | None:
        """A key of the user's admits no CloudTrail; the log is under S3's own then."""
        audits = self.owns_key and self.blueprint.security.audit_log
        return Ref("keys", "operations_key_arn") if audits else None

    @property
    def audit_log(self) -> Setting | None:
        """Whether accesses are written down; not said where they are in no environment."""
        if not any(each.blueprint.security.audit_log for each in self.siblings):
            return None
        return Setting(self.blueprint.security.audit_log, "security.audit_log")

    @property
    def approvers(self) -> Setting | None:
        """Who alone may approve versions; not said where no environment names anybody."""
        if not any(each.blueprint.security.access.approvers for each in self.siblings):
            return None
        named = list(self.blueprint.security.access.approvers)
        return Setting(named, "security.access.approvers")

    def placed(self, name: str) -> Any:
        """`subnets` or `security_groups` of jobs and containers, as an argument."""
        if not self.places:
            return self.existing(name)
        return Ref(NETWORK, {"subnets": "subnet_ids"}.get(name, "security_group_ids"))

    def home(self, model: str) -> Home:
        """Where versions of `model` are approved: at the end of the chain of `promote_from`."""
        return cast("Home", super().home(model))

    def _home(self, at: ResolvedBlueprint, model: str) -> Home:
        blueprint = at.blueprint
        known = Scope(at).known_as("models", model)
        group = physical_name(blueprint.name, at.environment, known, PACKAGE_GROUP_LIMIT)
        start = stem(blueprint.name, at.environment)
        return Home(at.environment, blueprint.account, blueprint.region, group, start)

    def readers(self, model: str) -> list[str]:
        """Other accounts that serve versions of `model` approved here."""
        serving = (
            each.blueprint.account
            for each in self.siblings
            if each.environment != self.environment
            and model in each.blueprint.models
            and each.promotes(model)
            and each.home(model).environment == self.environment
        )
        return sorted({account for account in serving if account} - {self.blueprint.account})

    @property
    def all_readers(self) -> list[str]:
        """Other accounts that serve any model trained here."""
        return sorted({account for model in self.trained for account in self.readers(model)})


def registry_variable(model: str) -> str:
    """The program's variable for the registry of a model."""
    return f"{identifier(model)}_registry"


def pipeline_variable(model: str) -> str:
    """The program's variable for the training pipeline of a model."""
    return f"{identifier(model)}_pipeline"


@cache
def function(module: str) -> Definition:
    """The source of a function of the runtime."""
    # Not by importlib.resources: see `catalogue`.
    source = Path(runtime.__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    return Definition(f"functions/{module}.py", source)
