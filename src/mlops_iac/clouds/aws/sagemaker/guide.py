"""What the program's README tells people: its settings, who needs which rights, what is by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.components._services import PRIVATE_SERVICES
from mlops_iac.clouds.aws.naming import stem
from mlops_iac.clouds.aws.sagemaker import closing, stack
from mlops_iac.clouds.aws.sagemaker.confining import Grant, filled, grants, origin
from mlops_iac.clouds.aws.sagemaker.deployer import APPROVER
from mlops_iac.clouds.aws.sagemaker.models import trained_here
from mlops_iac.clouds.aws.sagemaker.scope import LOCAL, STACK_TAG, Scope
from mlops_iac.clouds.base import ComponentCall, Construct, Setting

# Keys that stand in no blueprint → what they say.
_KEYS = {
    stack.LOG_SERVICES: "AWS services that write logs under the key for operations",
    stack.NEW_DATA_EVENTS: "whether the data bucket tells EventBridge of new files, because they"
    " start a training here",
    stack.UPLOADS: "whether datasets beside the blueprint are uploaded, because a training here"
    " reads them",
    stack.TRAINED_MODELS: "the models that the pipeline role may register versions of",
    stack.JOBS: "the kinds of jobs that pipelines start",
    stack.TRAINS: "whether any model is trained here: then a function seals what is registered",
    stack.READERS: "accounts that serve models trained here: they may read and decrypt them",
    stack.PROMOTES: "whether the endpoints serve models that another account trained, and may read"
    " and decrypt them there",
    closing.ORIGINS: "the accounts that trained what the endpoints serve",
    closing.ORIGIN_STACKS: "what the names of the stacks that did so begin with",
    closing.IN_NETWORK: "whether jobs and containers run in a network, the stack's own or an existing"
    " one",
}


def guide(scopes: Mapping[str, Scope], plans: Mapping[str, Sequence[ComponentCall]]) -> str:
    """Markdown, from `##` on. `scopes` are all environments by name, `plans` what they become."""
    calls = {name: plan for name, plan in plans.items() if name != LOCAL} or dict(plans)
    sections = [_settings(scopes, calls), _rights(scopes, calls), _by_hand(scopes)]
    closed = [scope for scope in scopes.values() if scope.is_private]
    if closed:
        sections.append(_network(closed))
    if any(scope.endpoints for scope in scopes.values()):
        sections.append(_rollback())
    return "\n\n".join("\n".join(section) for section in sections)


def _settings(
    scopes: Mapping[str, Scope], calls: Mapping[str, Sequence[ComponentCall]]
) -> list[str]:
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


def _rights(scopes: Mapping[str, Scope], calls: Mapping[str, Sequence[ComponentCall]]) -> list[str]:
    real = {name: scope for name, scope in scopes.items() if name in calls}
    components = {
        call.component.partition(":")[2] for planned in calls.values() for call in planned
    }
    boundaries = {scope.blueprint.options.sagemaker.permissions_boundary for scope in real.values()}
    untagged = f", and keys of the account without a tag `{STACK_TAG}` (give them one)"
    lines = [
        "## Who needs which rights",
        "",
        (
            "**The deployer**, who runs `up` and `destroy`, needs the following, and reaches with it what"
            f" this stack names and no other stack{untagged if 'Keys' in components else ''}. All names of"
            " a stack begin with its `${stem}`:"
        ),
        "",
        *(
            f"- `{name}`: `{stem(scope.blueprint.name, name)}`; `${{stack}}` is `{scope.tags[STACK_TAG]}`"
            for name, scope in real.items()
        ),
        *_overlapping(real),
        "",
        "| what | actions | on | if | why |",
        "|---|---|---|---|---|",
        *map(_row, grants(components, boundary="${boundary}" if any(boundaries) else None)),
        "",
        (
            "A managed policy of AWS takes 6,144 characters: give the statements as several."
            " `iam:PassRole` covers roles that the blueprint names (`existing.roles`), too."
        ),
        "",
        (
            "Every role has the boundary `options.sagemaker.permissions_boundary` (`${boundary}`), so"
            " none can be given more than it says."
            if all(boundaries)
            else "Whoever may write the policy of a role can give it any right. A deployer is confined"
            " for good only where `options.sagemaker.permissions_boundary` names what no role of the"
            " stack may exceed."
        ),
    ]
    lines += _ephemeral(real)
    for name, scope in real.items():
        if found := origin(scope):
            lines += [
                "",
                f"The deployer of `{name}` also looks up and serves versions that are approved elsewhere:",
                "",
                "| what | actions | on | if | why |",
                "|---|---|---|---|---|",
                *map(_row, filled(scope, found)),
            ]
    trained = any(scope.trained for scope in scopes.values())
    if trained and any(scope.approvers for scope in scopes.values()):
        lines += [
            "",
            (
                "**The approvers** of `security.access.approvers` may approve and reject versions: the"
                " registries' own policies let them, and deny"
            ),
            (
                f"{', '.join(f'`{action}`' for action in APPROVER[2:])} to everybody else, the account's"
                " administrators too, whatever else allows it. A change of who approves is a"
                " deployment."
            ),
        ]
    elif trained:
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


def _ephemeral(scopes: Mapping[str, Scope]) -> list[str]:
    """What it takes to make stacks for pull requests, whose names begin with their own."""
    bases = [name for name, scope in scopes.items() if not scope.blueprint.protect]
    if not bases:
        return []
    begins = f"`{scopes[bases[0]].blueprint.name}-pr-*`"
    return [
        "",
        (
            f"**Ephemeral stacks** (`up -s pr-123 --from {bases[0]}`) are of other names and of another tag:"
            f" a deployer who is confined to `{bases[0]}` cannot make them. Give them a deployer of their"
            f" own with the same statements, `${{stem}}` and `${{stack}}` being {begins} where all are"
            " called `pr-…`, and `StringLike` in the place of `StringEquals` for tags. It reaches every"
            " one of them. A `deploy_as` of the base is theirs, too: name this deployer there, in an"
            " environment that they are made from."
        ),
    ]


def _row(grant: Grant) -> str:
    """A row of Markdown."""
    conditions = [
        f"{operator} `{key}` {', '.join(f'`{each}`' for each in _many(value))}"
        for operator, tests in grant.conditions.items()
        for key, value in tests.items()
    ]
    cells = [
        grant.sid,
        ", ".join(f"`{each}`" for each in grant.actions),
        ", ".join(f"`{each}`" for each in grant.resources),
        "; ".join(conditions),
        grant.reason,
    ]
    return f"| {' | '.join(cells)} |"


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _overlapping(scopes: Mapping[str, Scope]) -> list[str]:
    """Environments whose names begin with another's: what is confined to that one reaches them."""
    stems = {name: stem(scope.blueprint.name, name) for name, scope in scopes.items()}
    pairs = [
        (one, other)
        for one, start in stems.items()
        for other, longer in stems.items()
        if longer.startswith(f"{start}-")
    ]
    told = [f"the deployer of `{one}` reaches `{other}`" for one, other in pairs]
    return ["", f"Names begin alike, so {', '.join(told)}: rename one."] if told else []


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


def _network(scopes: Sequence[Scope]) -> list[str]:
    lines = ["## The private network", ""]
    if any(scope.endpoints for scope in scopes):
        lines += [
            (
                "Endpoints have no policies of their own: who may call is said by the callers'. Give"
                " every caller's role the policy of the output `callers_policy`. It allows calls that"
                " come through the network, and denies all others, whatever else allows them; an"
                " identity without it that may `sagemaker:InvokeEndpoint` calls from anywhere, so"
                " grant that to nobody, or deny it in a service control policy unless"
                " `aws:SourceVpc` is the output `network`."
            ),
            "",
        ]
    if any(scope.makes_network for scope in scopes):
        lines += [
            (
                "The stack's own network has no way in or out but to services of AWS. Callers run in"
                " its subnets with the security group of the output `callers_security_group`, or in"
                " a network that you connect to it, whose addresses you let into the group of the"
                " endpoints."
            ),
            (
                "What runs in it reaches the buckets of this stack and the data named in the"
                " blueprint, and no package index: images bring what code needs."
            ),
            "",
        ]
    if any(not scope.makes_network for scope in scopes):
        services = ", ".join(f"`{each}`" for each in PRIVATE_SERVICES)
        lines += [
            (
                "Of an existing network nothing is made or changed. Without a way to the internet it"
                f" needs a gateway endpoint for `s3` and interface endpoints for {services}, with"
                " private DNS; its security groups let their own members in on all ports and out to"
                " these endpoints on 443. Callers reach the endpoints through `sagemaker.runtime`."
            ),
            "",
        ]
    lines.append(
        "Closed networks are enforced by AWS, and were checked here against schemas and emulators."
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
