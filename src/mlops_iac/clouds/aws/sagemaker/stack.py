"""What a stack is put together from, and the components that every other one is told by.

The order of `PARTS` is that of the program: each call stands after what it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker.blocks.audit_trail import AUDIT_TRAIL
from mlops_iac.clouds.aws.sagemaker.blocks.budget import BUDGET
from mlops_iac.clouds.aws.sagemaker.blocks.data_store import DATA_STORE
from mlops_iac.clouds.aws.sagemaker.blocks.datasets import DATASETS
from mlops_iac.clouds.aws.sagemaker.blocks.identity import IDENTITY
from mlops_iac.clouds.aws.sagemaker.blocks.network import PRIVATE_NETWORK
from mlops_iac.clouds.aws.sagemaker.blocks.promotion import PROMOTING, readers
from mlops_iac.clouds.aws.sagemaker.blocks.retraining import RETRAINING
from mlops_iac.clouds.aws.sagemaker.blocks.sealing import SEALER
from mlops_iac.clouds.aws.sagemaker.blocks.tracking import TRACKER
from mlops_iac.clouds.aws.sagemaker.blocks.training import REGISTRIES, TRAINING
from mlops_iac.clouds.aws.sagemaker.deployer_actions import ALARMS, QUEUES
from mlops_iac.clouds.aws.sagemaker.modes import MODES
from mlops_iac.clouds.aws.sagemaker.modes.monitoring import MONITORING
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Refusal, Setting
from mlops_iac.errors import Diagnostic

LOG_SERVICES = "encryption.services"
_KEY = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+"


def plan(scope: Scope) -> list[ComponentCall]:
    """The calls of one environment, each after what it refers to."""
    return [made for part in present(scope) for made in part.plan(scope)]


def present(scope: Scope) -> list[Part]:
    """The parts that a stack has, in the order of its program."""
    return [part for part in PARTS if part.there(scope)]


def _keys(scope: Scope) -> Iterator[ComponentCall]:
    blueprint = scope.blueprint
    yield call(
        "keys",
        "keys:Keys",
        {
            "customer": blueprint.security.keys == "customer",
            "existing_key_arn": scope.existing("key"),
            "alert_publishers": _publishers(scope) if blueprint.alerts else None,
            "log_services": _log_services(scope),
            "reader_accounts": readers(scope),
            "protect": scope.protect,
            "tags": scope.tags,
        },
        path="",
    )


def _log_services(scope: Scope) -> Setting | None:
    """Services that write under the key; not said where none does in any environment."""
    if not any(map(_using_key, scope.siblings)):
        return None
    return Setting(_using_key(scope), LOG_SERVICES)


def _using_key(scope: Scope) -> list[str]:
    """A key of the user's admits nobody."""
    if not scope.owns_key:
        return []
    logs = ["logs"] if scope.encrypts_logs else []
    return [*logs, *(service for part in present(scope) for service in part.key_services)]


def _key_values(scope: Scope) -> Iterator[Diagnostic]:
    key = scope.blueprint.existing.key
    # Policies name it, and a policy knows no ids and aliases (IAM user guide, "Resource").
    if key is not None and not re.fullmatch(_KEY, key) and not key.startswith("stack://"):
        yield scope.wrong(
            "existing.key",
            f"'{key}' is not the ARN of a KMS key; ids and aliases do not work",
            f"write arn:{scope.partition}:kms:REGION:ACCOUNT:key/ID",
            code="wrong-key",
        )


def _alerts(scope: Scope) -> Iterator[ComponentCall]:
    alerts = scope.blueprint.alerts
    yield call(
        "alerts",
        "alerts:Alerts",
        {
            "key_arn": Ref("keys", "operations_key_arn"),
            "emails": {
                name: Setting(alert.email, f"alerts.{name}.email") for name, alert in alerts.items()
            },
            "publishers": _publishers(scope),
            "tags": scope.tags,
        },
        path="alerts",
        exports={"alerts_topic": "topic_arn"},
    )


def _publishers(scope: Scope) -> list[str]:
    return [service for part in present(scope) for service in part.publishers]


KEYS = Part(
    plan=_keys,
    planned=("security.keys", "existing.key"),
    values=_key_values,
    names=lambda _: [("keys", "")],
    tagged=("kms.CreateKey",),
    deployed=Deployed(
        actions={
            "Keys": prefixed(
                "kms:",
                "CreateAlias CreateKey DeleteAlias DescribeKey DisableKey EnableKey "
                "EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListAliases "
                "ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource "
                "UpdateAlias UpdateKeyDescription",
            )
        },
    ),
    settings={LOG_SERVICES: "AWS services that write logs under the key for operations"},
)

ALERTS = Part(
    there=lambda scope: scope.blueprint.alerts,
    plan=_alerts,
    planned=("alerts.*.email",),
    refused=(Refusal("alerts.*.webhook", "alerts go to e-mail only yet", "write `email:`"),),
    names=lambda _: [("alerts", "")],
    tagged=("sns.CreateTopic", "cloudwatch.PutMetricAlarm", "events.PutRule"),
    publishers=("cloudwatch", "events"),
    deployed=Deployed(
        actions={
            "Alerts": (
                *prefixed(
                    "sns:",
                    "CreateTopic DeleteTopic GetSubscriptionAttributes GetTopicAttributes "
                    "ListTagsForResource SetTopicAttributes Subscribe TagResource Unsubscribe "
                    "UntagResource",
                ),
                *QUEUES,
                *ALARMS,
            )
        },
        named={"sns": ("sns:${region}:${account}:${stem}-*",)},
        unconfined=("sns:GetSubscriptionAttributes", "sns:Unsubscribe"),
    ),
    by_hand="Whoever gets alerts confirms the mail that SNS sends; before that nothing arrives.",
)

PARTS: tuple[Part, ...] = (
    KEYS,
    ALERTS,
    DATA_STORE,
    AUDIT_TRAIL,
    PRIVATE_NETWORK,
    SEALER,
    TRACKER,
    IDENTITY,
    REGISTRIES,
    DATASETS,
    TRAINING,
    PROMOTING,
    *MODES,
    MONITORING,
    RETRAINING,
    BUDGET,
)
