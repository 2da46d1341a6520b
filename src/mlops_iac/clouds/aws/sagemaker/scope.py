"""What the sections of a plan share: the blueprint of one environment and how values come from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from mlops_iac.blueprint import Blueprint, ResolvedBlueprint
from mlops_iac.blueprint.sections.serving import ServingEntry
from mlops_iac.blueprint.torn import known_or
from mlops_iac.clouds import base
from mlops_iac.clouds.aws import catalogue, runtime
from mlops_iac.clouds.aws.components._naming import PACKAGE_GROUP_LIMIT, physical_name, stem
from mlops_iac.clouds.base import ComponentCall, Construct, Definition, Ref, Setting
from mlops_iac.clouds.decisions import UNSUPPORTED
from mlops_iac.errors import Diagnostic, Severity
from mlops_iac.records import Record

LOCAL = "local"
STEPS = ("prepare", "train", "evaluate")
# Whose roles may be given (`existing.roles`): those of steps, and of what the stack itself does.
ROLES = (*STEPS, "pipeline", "serve", "seal")
COMPONENTS = "mlops_iac.clouds.aws.components"
# Tells what belongs to one stack from everything else; the budget counts by it.
STACK_TAG = "stack"
# The call that puts jobs and endpoints into a private network.
NETWORK = "network"

_Entry = TypeVar("_Entry", bound=ServingEntry)


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


class Scope(Record):
    """One environment that is being planned."""

    resolved: ResolvedBlueprint

    @property
    def blueprint(self) -> Blueprint:
        """Its blueprint."""
        return self.resolved.blueprint

    @property
    def siblings(self) -> list[Scope]:
        """All environments of the project, this one among them."""
        return [Scope(each) for each in self.resolved.siblings.values()]

    @property
    def environment(self) -> str:
        """Its name, which is the stack's."""
        return self.resolved.environment

    def wrong(
        self,
        path: str,
        what: str,
        hint: str = "",
        *,
        code: str = UNSUPPORTED,
        severity: Severity = "error",
        at_key: bool = False,
    ) -> Diagnostic:
        """What is wrong at a path of the blueprint, as `ResolvedBlueprint.diagnostic` tells it."""
        said = f"{path}: {what}"
        return self.resolved.diagnostic(path, code, said, hint, severity, at_key=at_key)

    @property
    def partition(self) -> str:
        """The partition of its region; `aws` for a region that is told to be none."""
        region = known_or("", lambda: self.blueprint.region)
        return catalogue.partition_of(region) if catalogue.is_region(region) else "aws"

    @property
    def is_local(self) -> bool:
        """Whether it is emulated; what exists elsewhere is stood in for then."""
        return self.environment == LOCAL

    @cached_property
    def tags(self) -> dict[str, Any]:
        """Tags of every resource."""
        blueprint = self.blueprint
        own: dict[str, Any] = {
            "project": blueprint.name,
            "environment": self.environment,
            STACK_TAG: f"{blueprint.name}-{self.environment}",
        }
        if blueprint.owner:
            own["owner"] = Setting(blueprint.owner, "owner")
        for key, value in blueprint.tags.items():
            own[key] = Setting(value, f"tags.{key}")
        return own

    @property
    def tracks(self) -> bool:
        """Whether an MLflow server keeps the runs of what is trained here."""
        return self.blueprint.tracking == "mlflow" and bool(self.trained)

    @property
    def protect(self) -> Setting:
        """Whether what holds data is protected."""
        return Setting(self.blueprint.protect, "protect")

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

    def existing(self, name: str) -> Setting | None:
        """What exists already; nothing in `local`, and nothing where the field is empty."""
        value = getattr(self.blueprint.existing, name)
        if self.is_local or not value:
            return None
        return Setting(list(value) if isinstance(value, tuple) else value, f"existing.{name}")

    def existing_role(self, plane: str) -> Setting | None:
        """A role that is used as it is, by plane or step; none in `local`."""
        arn = getattr(self.blueprint.existing.roles, plane)
        return None if self.is_local or arn is None else Setting(arn, f"existing.roles.{plane}")

    def promotes(self, model: str) -> bool:
        """Whether versions of `model` come from another environment. `local` trains its own."""
        return bool(self.blueprint.models[model].promote_from) and not self.is_local

    @property
    def trained(self) -> list[str]:
        """Models that are trained in this environment."""
        return [
            name
            for name, model in self.blueprint.models.items()
            if model.train is not None and not self.promotes(name)
        ]

    @property
    def steps(self) -> list[str]:
        """Steps that any model has."""
        models = self.blueprint.models.values()
        return [step for step in STEPS if any(getattr(model, step) for model in models)]

    @property
    def promoted(self) -> list[str]:
        """Models whose versions come from another environment."""
        return [name for name in self.blueprint.models if self.promotes(name)]

    def entries(self, section: type[_Entry]) -> dict[str, _Entry]:
        """Serving entries of one mode, by the section that they are."""
        return {
            name: entry
            for name, entry in self.blueprint.serving.items()
            if isinstance(entry, section)
        }

    def moved_from(self, section: str, name: str) -> str | None:
        """The former name of an entry of `section` (`serving`, `models`, `datasets`)."""
        former = self.blueprint.moved.get(f"{section}.{name}")
        return former.removeprefix(f"{section}.") if former else None

    def known_as(self, section: str, name: str) -> str:
        """What an entry is called in the cloud: a renamed one keeps the name it has there."""
        return self.moved_from(section, name) or name

    def home(self, model: str) -> Home:
        """Where versions of `model` are approved: at the end of the chain of `promote_from`."""
        at = self.resolved
        seen = {at.environment}
        if self.is_local:
            return self._home(at, model)
        while (source := at.blueprint.models[model].promote_from) and source not in seen:
            if model not in at.siblings[source].blueprint.models:
                break
            at = at.siblings[source]
            seen.add(source)
        return self._home(at, model)

    @staticmethod
    def _home(at: ResolvedBlueprint, model: str) -> Home:
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


def call(
    variable: str,
    component: str,
    args: Mapping[str, Any],
    *,
    path: str,
    name: str | None = None,
    depends_on: tuple[str, ...] = (),
    exports: Mapping[str, str] | None = None,
    flag: str = "",
    aliases: Sequence[str] = (),
) -> ComponentCall:
    """A component call; arguments that are None are left out. `component` is `module:Class`."""
    return ComponentCall(
        variable=variable,
        component=f"{COMPONENTS}.{component}",
        name=name or call_name(variable),
        args=given(args),
        path=path,
        depends_on=depends_on,
        exports=exports or {},
        flag=flag,
        aliases=aliases,
    )


def call_name(variable: str) -> str:
    """The logical name of a component that has none of its own."""
    return variable.replace("_", "-")


def construct(cls: str, args: Mapping[str, Any]) -> Construct:
    """A nested argument; what is None is left out. `cls` is `module:Class`."""
    return Construct(f"{COMPONENTS}.{cls}", given(args))


def given(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are not None."""
    return {key: value for key, value in args.items() if value is not None}


def registry_variable(model: str) -> str:
    """The program's variable for the registry of a model."""
    return f"{identifier(model)}_registry"


def identifier(name: str) -> str:
    """A blueprint name as part of a Python identifier or an output's name."""
    return name.replace("-", "_")


def pipeline_variable(model: str) -> str:
    """The program's variable for the training pipeline of a model."""
    return f"{identifier(model)}_pipeline"


def trained_here(model: str) -> str:
    """The configuration key that says whether an environment trains a model."""
    return f"models.{model}.trained_here"


def former_names(scope: Scope, name: str, named: Callable[[str], str]) -> tuple[str, ...]:
    """The name that a component of a renamed model had, as `named` makes it of the model's."""
    former = scope.moved_from("models", name)
    return (named(former),) if former else ()


@cache
def function(module: str) -> Definition:
    """The source of a function of the runtime."""
    # Not by importlib.resources: see `catalogue`.
    source = Path(runtime.__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    return Definition(f"functions/{module}.py", source)
