"""What the program's README tells people: its settings, who needs which rights, what is by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.components._naming import stem
from mlops_iac.clouds.aws.sagemaker.deployer_actions import APPROVER
from mlops_iac.clouds.aws.sagemaker.deployer_policy import Grant, filled, grants, origin
from mlops_iac.clouds.aws.sagemaker.scope import LOCAL, STACK_TAG, Scope
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.clouds.base import ComponentCall, setting_paths
from mlops_iac.clouds.decisions import matches


def guide(scopes: Mapping[str, Scope], plans: Mapping[str, Sequence[ComponentCall]]) -> str:
    """Markdown, from `##` on. `scopes` are all environments by name, `plans` what they become."""
    calls = {name: plan for name, plan in plans.items() if name != LOCAL} or dict(plans)
    every = list(scopes.values())
    sections = [_settings(calls), _rights(scopes, calls), _by_hand(every)]
    having = [(part, [scope for scope in every if part.there(scope)]) for part in PARTS]
    sections += [list(part.guide(with_it)) for part, with_it in having if with_it]
    return "\n\n".join("\n".join(section) for section in sections if section)


def _settings(calls: Mapping[str, Sequence[ComponentCall]]) -> list[str]:
    used = {
        key
        for planned in calls.values()
        for call in planned
        for key in (call.flag, *setting_paths(call.args))
    }
    said = {pattern: what for part in PARTS for pattern, what in part.settings.items()}
    keys = {
        key: what.replace("{name}", key.split(".")[1])
        for key in used
        for pattern, what in said.items()
        if matches(key, pattern)
    }
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


def _by_hand(scopes: Sequence[Scope]) -> list[str]:
    return [
        "## Once, by hand",
        "",
        *(f"- {part.by_hand}" for part in PARTS if part.by_hand and any(map(part.there, scopes))),
        (
            "- Look at the quotas of the instance types, for training and for endpoints; new accounts"
            " have none for many."
        ),
    ]
