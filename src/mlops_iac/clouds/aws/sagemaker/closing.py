"""What closes a stack: the network that jobs and endpoints run in, and the trail of who did what."""

from __future__ import annotations

from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.scope import AUDIT, NETWORK, Scope, call
from mlops_iac.clouds.aws.sagemaker.serving import promoting
from mlops_iac.clouds.base import ComponentCall, Ref, Setting
from mlops_iac.pipeline.reading import training_datasets

# Configuration keys of what follows from the blueprint without standing in it (see `guide`).
IN_NETWORK = "security.private_network"
ORIGINS = "promotion.origin_accounts"
ORIGIN_STACKS = "promotion.origin_stacks"


def plan_network(scope: Scope) -> list[ComponentCall]:
    """Where jobs and containers run; nothing where SageMaker puts them."""
    if not scope.places:
        return []
    served = bool(scope.endpoints)
    key = scope.customer_key
    accounts, stacks = promoting(scope)
    return [
        call(
            NETWORK,
            "network:Network",
            {
                # Where callers may come from anywhere, it is nobody's condition.
                "vpc_id": scope.existing("network") if scope.is_private else None,
                "subnets": scope.existing("subnets"),
                "security_groups": scope.existing("security_groups"),
                "endpoints": [scope.known_as("serving", name) for name in scope.endpoints] or None,
                "bucket_arns": _buckets(),
                "captures_bucket_arn": _captures(scope),
                "uris": [*source_uris(scope), *model_uris(scope)] or None,
                "origin_accounts": Setting(accounts, ORIGINS) if promotes(scope) else None,
                "origin_stacks": Setting(stacks, ORIGIN_STACKS) if promotes(scope) else None,
                "images": Setting(machines.repositories(scope), "images"),
                "key_arn": Ref("keys", "data_key_arn") if key else None,
                "log_key_arn": scope.log_key,
                "permissions_boundary": scope.permissions_boundary,
                "tags": scope.tags,
            },
            path="security.network",
            flag=IN_NETWORK,
            exports={"network": "vpc_id"}
            | (
                {
                    "callers_policy": "callers_policy_arn",
                    "callers_security_group": "callers_group_id",
                }
                if served
                else {}
            ),
        )
    ]


def in_network(scope: Scope) -> Setting | bool:
    """Not configured where no environment has a network."""
    if not any(Scope(each).in_network for each in scope.resolved.siblings.values()):
        return False
    return Setting(scope.in_network, IN_NETWORK)


def plan_audit(scope: Scope) -> list[ComponentCall]:
    """The trail of management calls and of accesses to the stack's objects."""
    if not scope.blueprint.security.audit_log:
        return []
    return [
        call(
            AUDIT,
            "audit_trail:AuditTrail",
            {
                "bucket": Ref("data", "audit.bucket"),
                "bucket_arns": _buckets(),
                "captures_bucket_arn": _captures(scope),
                "key_arn": audit_key(scope),
                "tags": scope.tags,
            },
            path="security.audit_log",
            depends_on=("data",),
            flag="security.audit_log",
            exports={"audit_trail": "trail_name", "audit_bucket": "bucket"},
        )
    ]


def audit_key(scope: Scope) -> Ref | None:
    """A key of the user's admits no CloudTrail; the log is under S3's own then."""
    audits = scope.owns_key and scope.blueprint.security.audit_log
    return Ref("keys", "operations_key_arn") if audits else None


def _buckets() -> list[Ref]:
    """Buckets that jobs and endpoints read and write in every environment."""
    return [Ref("data", "data.arn"), Ref("data", "artifacts.arn")]


def _captures(scope: Scope) -> Ref | None:
    captures = any(entry.capture is not None for entry in scope.endpoints.values())
    return Ref("data", "captures.arn") if captures else None


def source_uris(scope: Scope) -> list[Setting]:
    """Where datasets lie that a training here reads in place."""
    found = {
        name: section.source
        for model in scope.trained
        for name, section in training_datasets(scope.resolved, model)
        if not section.is_local
    }
    return [Setting(uri, f"datasets.{name}.source") for name, uri in found.items()]


def model_uris(scope: Scope) -> list[Setting]:
    """Where models lie that are served and come from elsewhere."""
    served = {model for entry in scope.endpoints.values() for model in machines.models_of(entry)}
    return [
        Setting(model.source, f"models.{name}.source")
        for name, model in scope.blueprint.models.items()
        if name in served and model.source is not None
    ]


def promotes(scope: Scope) -> bool:
    """Whether any environment takes models from another: then all say who reads."""
    return any(
        model.promote_from
        for other in scope.resolved.siblings.values()
        for model in other.blueprint.models.values()
    )
