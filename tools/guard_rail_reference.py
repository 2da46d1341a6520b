"""The page about the guard rails, `docs/policies.md`, made from their attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlops_iac.policy.explained import default_words, severity_words
from mlops_iac.policy.model import Rule

_URL = re.compile(r"https://\S+")

_HEAD = """# Guard rails

<!-- Generated from src/mlops_iac/policy/rules. Do not edit. -->

`mlops-iac policy check` runs these rules over what a stack would be, without credentials, and exits
with 5 where a mandatory one is broken; `up` refuses to deploy such a stack (`local` is free of them).
Each finding names the line of the blueprint that causes it. Rules marked *production* look at
environments that are protected, or at those that `policies.yaml` calls production.

## Letting one pass

In the blueprint, for one rule at one place, with a reason and an end. `at` is a blueprint path with
all below it, an address that `mlops-iac graph` prints, or `.` for the whole stack. After the last
day the finding is back, and so is an error about the exception.

```yaml
exceptions:
  single-instance: {at: serving.api, reason: a pilot for one team, until: 2027-01-31}
```

## Configuring

In `policies.yaml` beside the blueprint. A mandatory rule cannot be switched off there; to make it
advisory takes a `reason`.

```yaml
policies: 1
production: [prod]                  # default: every environment with `protect: true`
rules:
  allowed-regions: {regions: [eu-*]}
  single-instance: {severity: mandatory}
  log-encryption: {enabled: false}
```

## Rules of your own

One rule per file in `policies/` beside the blueprint; the file's name, with hyphens, is the rule's
id. They are Python and run with your rights: `--no-team-rules` leaves them out.

```python
# policies/no_friday_trainings.py
from mlops_iac.policy import Rule, Violation


def check(context):
    for each in context.resources:
        if "FRI" in str(each.inputs.get("scheduleExpression")):
            yield Violation("it trains on a Friday", each)


RULE = Rule(
    id="no-friday-trainings",
    title="Nothing trains on a Friday",
    severity="advisory",
    why="Nobody is there on Saturday to look at what came out.",
    remediation="choose another day in `retrain.schedule`",
    source="our handbook",
    check=check,
)
```

## From templates

`policies.yaml` and `policies/` of the [templates](templates.md#guard-rails) that a blueprint stands on
hold, too. What a template makes mandatory, switches on or sets, the files above it do not undo, and
`exceptions` only where the template allows them. Findings name the template.

## With the plain Pulumi CLI

`mlops-iac policy pack --out DIR` writes a policy pack of the same rules, which
`pulumi preview --policy-pack DIR` and `pulumi up --policy-pack DIR` run.

## Rules
"""


def reference(rules: Sequence[Rule]) -> str:
    """The page about all rules, in Markdown."""
    lines = [_HEAD, "| Rule | Severity | What it asks |", "|---|---|---|"]
    lines += [
        f"| [`{rule.id}`](#{rule.id}) | {severity_words(rule)} | {rule.title} |" for rule in rules
    ]
    for rule in rules:
        lines += ["", f"### {rule.id}", "", *_rule(rule)]
    return "\n".join(lines).rstrip() + "\n"


def _rule(rule: Rule) -> list[str]:
    lines = [f"**{rule.title}** ({severity_words(rule)}). {rule.why}", ""]
    lines += [f"*What to do:* {rule.remediation}. *Source:* {_linked(rule.source)}"]
    if rule.parameters:
        lines += ["", "| Setting | Default | Meaning |", "|---|---|---|"]
        lines += [
            f"| `{name}` | {default_words(each)} | {each.description} |"
            for name, each in rule.parameters.items()
        ]
    return lines


def _linked(source: str) -> str:
    return _URL.sub(lambda match: f"<{match[0]}>", source)
