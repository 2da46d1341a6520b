"""The files of a new template: one that tests green, to be changed from there."""

from __future__ import annotations

from mlops_iac.blueprint.templates.manifest import is_name
from mlops_iac.clouds import registry
from mlops_iac.errors import UsageError

_MANIFEST = """\
# What this template is called, what a team fills in, and what it holds teams to.
# `mlops-iac template test` checks it and shows what comes of it.
template: 1
name: {name}
version: 0.1.0
description: What a service of ours is like.  # yours: what it gives a team, in one sentence
platforms: [{platform}]

parameters:
  tier:
    type: text
    description: How much depends on the service; gold has larger machines.
    default: silver
    choices: [silver, gold]
  most:
    type: integer
    description: Instances of an endpoint at most.
    default: 4
    at_least: 1
    at_most: 20

# Nothing in a team's blueprint undoes these; the reason stands in every error.
limits:
  environments.*.security.keys: {{fixed: customer, because: access to data ends when its key does}}
  serving.*.scaling.max: {{at_most: "${{parameters.most}}", because: the quota is shared}}

changelog:
  0.1.0: [The first version.]
"""
_BLUEPRINT = """\
# A partial blueprint, which lies below a team's own. Parameters stand in it as values.
tags: {tier: "${parameters.tier}"}
serving:
  api:
    compute:
      size: {$choose: tier, silver: small, gold: medium}
"""
_README = """\
# {name}

For whom it is, and what it leaves to the team.

- `template.yaml`: name, version, parameters, limits, changelog
- `blueprint.yaml`: what every blueprint that stands on it begins with
- `scaffold/`: what `mlops-iac init` writes
- `tests/`: what comes of it, which `mlops-iac template test` compares
- `policies.yaml`, `policies/*.py` (not here yet): guard rails for every team

To release a version: change `version`, say in `changelog` what changed, and do what
`mlops-iac template release` says.
"""
_DEFAULT = """\
description: A team that fills in nothing has a silver service with keys of its own.
expect:
  resolved:
    tags.tier: silver
    serving.api.compute.size: small
    environments.*.security.keys: customer
"""
_GOLD = """\
description: Gold has larger machines, and the limit follows the parameter.
parameters: {tier: gold, most: 8}
expect:
  resolved: {serving.api.compute.size: medium}
"""
_REFUSED = """\
description: More instances than agreed are refused, with the reason.
parameters: {most: 2}
blueprint:
  datasets: {samples: {source: data/samples.csv, format: csv, target: late}}
  models:
    sample:
      code: workload/
      runtime: {framework: scikit-learn, version: 1.9}
      train: {script: train.py}
  serving: {api: {mode: real-time, scaling: {min: 1, max: 3, target: {requests_per_minute: 200}}}}
expect:
  errors: ["max is 3; .* allows at most 2: the quota is shared"]
"""
_NEW_BLUEPRINT = """\
# What {{ name }} is made of: these lines, and what the template `{{ template.name }}` says.
# `mlops-iac explain PATH` tells where a value comes from.
blueprint: 1
name: {{ name }}
owner: {{ owner | yaml }}
platform: {{ platform }}
region: {{ region }}

extends:
{{ extends }}

datasets:
  deliveries: {source: data/deliveries.csv, format: csv, target: late}  # yours: replace it

models:
  classifier:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    metrics: {accuracy: maximize}
    prepare: {script: prepare.py}
    train: {script: train.py, hyperparameters: {cv_folds: 5}}
    evaluate: {script: evaluate.py, gates: {accuracy: {at_least: 0.7}}}

serving:
  api: {mode: real-time, model: classifier, scaling: {min: 1, max: 2, target: {requests_per_minute: 200}}}

environments:
  prod:
    # account: ACCOUNT  # yours: nothing is deployed to another one by mistake
    serving: {api: {scaling: {min: 2}}}
"""
_NEW_README = """\
# {{ name }}

Stands on the template `{{ template.name }}`. Start with `mlops-iac validate`, then `mlops-iac up`:
the stack `local` is a cloud on this machine.
"""


def starter(name: str, platform: str = registry.DEFAULT) -> dict[str, bytes]:
    """The files of a template called `name`, POSIX path → content.

    Raises UsageError for what is no name of a template.
    """
    if not is_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a template",
            hint="lowercase letters, digits and hyphens, as NAME or NAMESPACE/NAME",
        )
    account = registry.forms(platform).example_account
    texts = {
        "template.yaml": _MANIFEST.format(name=name, platform=platform),
        "blueprint.yaml": _BLUEPRINT,
        "README.md": _README.format(name=name),
        "scaffold/.from": "example-workload\n",
        "scaffold/README.md.jinja": _NEW_README,
        "scaffold/blueprint.yaml.jinja": _NEW_BLUEPRINT.replace("ACCOUNT", account),
        "tests/default.yaml": _DEFAULT,
        "tests/gold.yaml": _GOLD,
        "tests/too-many.yaml": _REFUSED,
    }
    return {path: text.encode() for path, text in texts.items()}
