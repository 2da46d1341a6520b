"""What the program's README tells people: its settings, who needs which rights, what is by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_iac.clouds.aws.sagemaker import stack
from mlops_iac.clouds.aws.sagemaker.deployer import APPROVER, by_service
from mlops_iac.clouds.aws.sagemaker.models import trained_here
from mlops_iac.clouds.aws.sagemaker.scope import LOCAL, STACK_TAG, Scope
from mlops_iac.clouds.base import ComponentCall, Construct, Setting

# Keys that stand in no blueprint → what they say.
_KEYS = {
    stack.KEY_SERVICES: "AWS services that use the data key themselves; CloudWatch Logs does where"
    " the function that starts trainings has an encrypted log",
    stack.NEW_DATA_EVENTS: "whether the data bucket tells EventBridge of new files, because they"
    " start a training here",
    stack.UPLOADS: "whether datasets beside the blueprint are uploaded, because a training here"
    " reads them",
    stack.TRAINED_MODELS: "the models that the pipeline role may register versions of",
    stack.READERS: "accounts that serve models trained here: they may read and decrypt them",
    stack.PROMOTES: "whether the endpoints serve models that another account trained, and may read"
    " and decrypt them there",
    stack.ORIGINS: "the accounts that trained what the endpoints serve",
}


def guide(scopes: Mapping[str, Scope]) -> str:
    """Markdown, from `##` on. `scopes` are all environments by name."""
    calls = {name: stack.plan(scope) for name, scope in scopes.items() if name != LOCAL}
    if not calls:
        calls = {name: stack.plan(scope) for name, scope in scopes.items()}
    sections = [_settings(scopes, calls), _rights(scopes, calls), _by_hand(scopes)]
    if any(scope.endpoints for scope in scopes.values()):
        sections.append(_rollback())
    return "\n\n".join("\n".join(section) for section in sections)


def _settings(scopes: Mapping[str, Scope], calls: Mapping[str, list[ComponentCall]]) -> list[str]:
    models = dict.fromkeys(name for scope in scopes.values() for name in scope.blueprint.models)
    keys = dict(_KEYS)
    for name in models:
        keys |= {
            trained_here(name): f"whether {name} is trained and registered in this environment;"
            " where it is not, a version approved elsewhere is served",
            f"models.{name}.version": f"the version of {name} to serve, to pin one or roll back;"
            " left out, `mlops-iac up` takes the newest approved one",
            f"models.{name}.registry_account": f"the account whose registry holds {name}",
            f"models.{name}.reader_accounts": f"accounts that may look up versions of {name}",
        }
    used = {
        key
        for planned in calls.values()
        for call in planned
        for key in (call.flag, *_paths(call.args))
    }
    keys = {key: what for key, what in keys.items() if key in used}
    return [
        "## Settings",
        "",
        (
            "`Pulumi.<stack>.yaml` holds what differs between environments, by its path in the"
            " blueprint."
        ),
        (
            "These keys follow from the blueprint without standing in it; what is equal in all"
            " environments is"
        ),
        "a literal in the program instead.",
        "",
        "| key | says |",
        "|---|---|",
        *(f"| `{key}` | {what} |" for key, what in sorted(keys.items())),
    ]


def _paths(value: object) -> Iterator[str]:
    match value:
        case Setting():
            yield value.path
        case Construct():
            yield from _paths(value.args)
        case Mapping():
            for each in value.values():
                yield from _paths(each)
        case list() | tuple():
            for each in value:
                yield from _paths(each)


def _rights(scopes: Mapping[str, Scope], calls: Mapping[str, list[ComponentCall]]) -> list[str]:
    components = {
        call.component.partition(":")[2] for planned in calls.values() for call in planned
    }
    lines = [
        "## Who needs which rights",
        "",
        (
            "**The deployer**, who runs `up` and `destroy`, needs these actions, on resources of this"
            " stack where the action knows resources; `iam:PassRole` only for the roles the stack makes"
            " or is given, to the services that take them:"
        ),
        "",
        "| service | actions |",
        "|---|---|",
    ]
    lines += [
        f"| `{service}` | {', '.join(f'`{name}`' for name in names)} |"
        for service, names in by_service(components).items()
    ]
    trained = any(scope.trained for scope in scopes.values())
    if trained:
        lines += [
            "",
            (
                f"**The approver** needs {', '.join(f'`{action}`' for action in APPROVER)} on the"
                " versions of the models, and nothing else. The deployer does not have"
            ),
            (
                "`sagemaker:UpdateModelPackage`, and no role of this stack has it: let it be another"
                " person, so that nobody serves what nobody else has looked at."
            ),
        ]
    return lines


def _by_hand(scopes: Mapping[str, Scope]) -> list[str]:
    blueprints = [scope.blueprint for scope in scopes.values()]
    lines = ["## Once, by hand", ""]
    if any(each.alerts for each in blueprints):
        lines.append(
            "- Whoever gets alerts confirms the mail that SNS sends; before that nothing arrives."
        )
    if any(each.budget for each in blueprints):
        lines.append(
            f"- The budget counts by the tag `{STACK_TAG}`: activate it as a cost allocation tag in"
            " the billing console, else it sees no costs."
        )
    lines.append(
        "- Look at the quotas of the instance types, for training and for endpoints; new accounts"
        " have none for many."
    )
    return lines


def _rollback() -> list[str]:
    return [
        "## After an automatic rollback",
        "",
        (
            "When an alarm takes a rollout back, the endpoint runs its previous configuration, while the"
            " deployment reports success (hashicorp/terraform-provider-aws, issue 48997). `mlops-iac"
            " status` and `up` say so; by hand, compare"
        ),
        "",
        "```sh",
        "aws sagemaker describe-endpoint --endpoint-name NAME --query EndpointConfigName",
        "```",
        "",
        (
            "with the configuration in the state. Where `protect` is true, replaced models and"
            " configurations are kept for this. Pin the version that runs"
            " (`models.<name>.version`) and run `up`: then the state and the endpoint agree again."
        ),
    ]
