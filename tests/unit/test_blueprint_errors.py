"""Each row is a sentence about one mistake: how it is written, and what is said of it, and where.

`§` marks the exact place that the message must point to.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint import load, validate
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError

BASE = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
tags: {team: risk}
datasets:
  customers: {source: data/customers.csv, format: csv, target: churned}
models:
  churn:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    metrics: {accuracy: maximize}
    train:
      script: train.py
    evaluate: {script: evaluate.py, gates: {accuracy: {at_least: 0.8}}}
serving:
  api:
    mode: real-time
    compute: {size: small}
    scaling: {min: 1, max: 4, target: {cpu_percent: 60}}
alerts: {oncall: {email: oncall@acme.com}}
environments:
  dev: {account: 012345678901, protect: false}
  prod:
    account: 210987654321
    serving: {api: {scaling: {max: 20}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "customers.csv").write_text("churned\n1\n")
    (tmp_path / "workload").mkdir()
    for name in ("train.py", "evaluate.py", "prepare.py"):
        (tmp_path / "workload" / name).write_text("")
    return tmp_path


def check(project: Path, text: str, **options: bool) -> list[Diagnostic]:
    path = project / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return validate(path, **options)


def place(text: str) -> tuple[str, int, int]:
    """The text without its mark, and the mark's line and column."""
    before, found, after = text.partition("§")
    assert found, "the row has no mark"
    assert "§" not in after, "the row has two marks"
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")


# sentence: (what is replaced, by what, code, part of the message, part of the hint)
MISTAKES = {
    # keys
    "a misspelt key of a section": ("compute: {size: small}", "compute: {§instanse: ml.m5.large}", "unknown-key", "'instanse' is not a field of serving.api.compute", "did you mean 'instance'?"),
    "a misspelt section": ("alerts:", "§alert:", "unknown-key", "'alert' is not a section of a blueprint", "did you mean 'alerts'?"),
    "an underscore for a hyphen in a section of options": ("alerts:", "options: {§azure-ml2: {}}\nalerts:", "unknown-key", "'azure-ml2' is not a field of options", "did you mean 'azure-ml'?"),
    "an option of no platform": ("alerts:", "options: {sagemaker: {§boundary: x}}\nalerts:", "unknown-key", "'boundary' is not a field of options.sagemaker", "permissions_boundary"),
    "an unknown id of existing things": ("alerts:", "existing: {§subnet: [a]}\nalerts:", "unknown-key", "'subnet' is not a field of existing", "did you mean 'subnets'?"),
    "a duplicate key": ("name: churn\n", "name: churn\n§name: churn2\n", "duplicate-key", "'name' is written twice; the first is in line 2", "remove one"),
    "a key that is a list": ("alerts:", "§[a, b]: c\nalerts:", "complex-key", "a key is a plain text", ""),
    "a field of another mode": ("mode: real-time", "mode: batch\n    §rollout: {}", "unknown-key", "'rollout' is not a field of serving.api", ""),
    # needed
    "no region": ("region: eu-west-1\n", "", "missing", "a blueprint needs 'region'", "The cloud's region."),
    "no script": ("    train:\n      script: train.py", "    §train: {}", "missing", "models.churn.train needs 'script'", ""),
    "no mode": ("  api:\n    mode: real-time", "  §api:", "missing", "serving.api needs 'mode'", "write `mode: real-time or batch`"),
    "neither source nor train": ("    train:\n      script: train.py\n", "", "missing", "models.churn needs one of train or source", ""),
    "a framework without a version": (", version: 1.9}", "}", "missing", "models.churn.runtime needs the 'version' of scikit-learn", ""),
    "a file dataset without a format": ("  customers: {source: data/customers.csv, format: csv,", "  §customers: {source: data/customers.csv,", "missing", "datasets.customers needs 'format'", "csv, parquet"),
    "an alert for nobody": ("{oncall: {email: oncall@acme.com}}", "{§oncall: {}}", "missing", "alerts.oncall needs one of email or webhook", ""),
    "a batch entry without input and output": ("mode: real-time\n    compute: {size: small}\n    scaling: {min: 1, max: 4, target: {cpu_percent: 60}}", "mode: batch", "missing", "serving.api needs 'output'", "made"),
    "an edge entry without a device": ("mode: real-time\n    compute: {size: small}\n    scaling: {min: 1, max: 4, target: {cpu_percent: 60}}", "mode: edge\n    fleet: sites", "missing", "serving.api needs 'device'", ""),
    # types
    "a word where a number belongs": ("min: 1", "min: §one", "wrong-type", "serving.api.scaling.min takes a whole number, not 'one'", ""),
    "a fraction where a whole number belongs": ("min: 1", "min: §1.5", "wrong-type", "takes a whole number, not '1.5'", "without a fraction"),
    "a quoted number": ("min: 1", 'min: §"1"', "wrong-type", "takes a whole number, not '1'", "without quotes"),
    "an octal number": ("min: 1", "min: §0o7", "wrong-type", "takes a whole number, not '0o7'", ""),
    "a base-60 number": ("min: 1", "min: §1:30", "wrong-type", "takes a whole number, not '1:30'", ""),
    "infinity": ("cpu_percent: 60", "cpu_percent: §.inf", "wrong-type", "takes a number, not '.inf'", "finite"),
    "a number that overflows": ("cpu_percent: 60", "cpu_percent: §1e999", "wrong-type", "takes a number, not '1e999'", "finite"),
    "yes for true": ("protect: false", "protect: §no", "wrong-type", "protect takes true or false, not 'no'", "did you mean false?"),
    "a text where a list belongs": ("format: csv,", "format: csv, sensitive: §region,", "wrong-type", "datasets.customers.sensitive takes a list, not a plain value", "write `[region]`"),
    "a list where a text belongs": ("region: eu-west-1", "region: §[eu-west-1]", "wrong-type", "region takes a text, not a list", ""),
    "a text where a mapping belongs": ("compute: {size: small}", "compute: §small", "wrong-type", "serving.api.compute takes a mapping, not a plain value", ""),
    "a list of entries": ("serving:\n  api:\n", "serving: §[api]\nx:\n  api:\n", "wrong-type", "serving takes a mapping, not a list", ""),
    "a key without a value": ("region: eu-west-1", "§region:", "null", "region has no value", "leave the key out"),
    "null in the blueprint": ("compute: {size: small}", "compute: §null", "null", "serving.api.compute has no value", "`{}`"),
    # values
    "a misspelt choice": ("mode: real-time", "mode: §realtime", "unknown-value", "'realtime' is not a value of serving.api.mode", "did you mean 'real-time'? allowed: real-time"),
    "an unknown platform": ("platform: sagemaker", "platform: §sagemker", "unknown-value", "'sagemker' is not a value of platform", "did you mean 'sagemaker'?"),
    "an unknown version of the language": ("blueprint: 1", "blueprint: §2", "unknown-value", "'2' is not a value of blueprint", "allowed: 1"),
    "the beginning of a choice": ("{accuracy: maximize}", "{accuracy: §max}", "unknown-value", "'max' is not a value of models.churn.metrics.accuracy", "did you mean 'maximize'?"),
    "an unknown size": ("{size: small}", "{size: §tiny}", "unknown-value", "'tiny' is not a value of serving.api.compute.size", "small, medium"),
    "a negative count": ("script: train.py\n", "script: train.py\n      compute: {count: §-2}\n", "out-of-range", "models.churn.train.compute.count must be at least 1, not -2", ""),
    "no time at all": ("script: train.py\n", "script: train.py\n      timeout_minutes: §0\n", "out-of-range", "must be at least 1, not 0", ""),
    "more than all": ("cpu_percent: 60", "cpu_percent: §160", "out-of-range", "must be at most 100, not 160", ""),
    "a budget of nothing": ("alerts:", "budget: {monthly_usd: §0}\nalerts:", "out-of-range", "budget.monthly_usd must be more than 0, not 0", ""),
    "a budget with no alerts": ("alerts:", "budget: {monthly_usd: 5, alert_percent: §[]}\nalerts:", "wrong-length", "budget.alert_percent is empty", ""),
    "the same column twice": ("format: csv,", "format: csv, sensitive: [a, §a],", "duplicate-value", "'a' is in datasets.customers.sensitive twice", ""),
    # names
    "a name with capitals": ("name: churn", "name: §Churn_Model", "illegal-name", "'Churn_Model' cannot be the name of a blueprint", "did you mean 'churn-model'?"),
    "a name that is too long": ("name: churn", "name: §" + "a" * 33, "name-too-long", "has 33 characters", "at most 32"),
    "an entry's name with an underscore": ("  api:\n", "  §my_api:\n", "illegal-name", "'my_api' cannot be the name of a serving entry", "did you mean 'my-api'?"),
    "a name that starts with a digit": ("  customers:", "  §2customers:", "illegal-name", "'2customers' cannot be the name of a dataset", ""),
    "a stack's name with a slash": ("  dev: {", "  §a/b: {", "illegal-name", "'a/b' cannot be the name of an environment", ""),
    "an environment variable with a hyphen": ("    train:", "    env: {§LOG-LEVEL: info}\n    train:", "illegal-name", "'LOG-LEVEL' cannot be an environment variable", ""),
    "a hyperparameter with a space": ("script: train.py\n", "script: train.py\n      hyperparameters: {§max depth: 3}\n", "illegal-name", "'max depth' cannot be a hyperparameter", ""),
    # alternatives
    "a size and an instance": ("{size: small}", "{size: small, §instance: ml.m5.large}", "alternatives", "serving.api.compute takes one of size or instance, not size and instance", "remove instance"),
    "a framework and an image": ("version: 1.9}", "version: 1.9, §image: x}", "alternatives", "models.churn.runtime takes one of framework, image or dockerfile", ""),
    "trained and brought along": ("    train:", "    source: s3://b/m\n    train:", "alternatives", "models.churn takes one of train or source, not train and source", ""),
    "a model and variants": ("mode: real-time", "mode: real-time\n    model: churn\n    §variants: {a: {model: churn}}", "alternatives", "serving.api takes one of model or variants", ""),
    "both bounds of a gate": ("{at_least: 0.8}", "{at_least: 0.8, §at_most: 0.9}", "alternatives", "takes one of at_least or at_most", ""),
    # references
    "a model that is not there": ("mode: real-time", "mode: real-time\n    model: §chrun", "unknown-reference", "there is no model 'chrun'", "did you mean 'churn'?"),
    "a dataset that is not there": ("    metrics:", "    datasets: [§customer]\n    metrics:", "unknown-reference", "there is no dataset 'customer'", "did you mean 'customers'?"),
    "a feature that is not there": ("    metrics:", "    features: [§project]\n    metrics:", "unknown-reference", "there is no feature 'project'", "the blueprint has no 'features'"),
    "a secret that is not there": ("    train:", "    env: {TOKEN: {secret: §hook}}\n    train:", "unknown-reference", "there is no secret 'hook'", "no 'secrets'"),
    "promoted from an environment that is not there": ("    account: 210987654321\n", "    account: 210987654321\n    models: {churn: {promote_from: §stage}}\n", "unknown-reference", "there is no environment 'stage'", "there is: dev and prod"),
    "an empty text": ("region: eu-west-1", "region: §''", "empty", "region cannot be empty", ""),
    "an empty item": ("format: csv,", "format: csv, sensitive: [a, §''],", "empty", "datasets.customers.sensitive[1] cannot be empty", ""),
    "an empty name": ("{team: risk}", "{§'': risk}", "empty", "a name in tags cannot be empty", ""),
    "promoted from what is emulated": ("    account: 210987654321\n", "    account: 210987654321\n    models: {churn: {promote_from: §local}}\n", "promotion-gap", "nothing can be promoted from 'local'", ""),
    "a percentage above 100": ("mode: real-time", "mode: real-time\n    monitor: {limits: {error_rate_percent: {at_most: §150}}}", "out-of-range", "a limit on 'error_rate_percent' is between 0 and 100, not 150", ""),
    "a negative latency": ("mode: real-time", "mode: real-time\n    rollout: {limits: {latency_p99_ms: {at_most: §-1}}}", "out-of-range", "a limit on 'latency_p99_ms' is at least 0, not -1", ""),
    "promoted in a circle": ("    metrics:", "    promote_from: §dev\n    metrics:", "promotion-cycle", "'churn' is trained nowhere: dev → dev", "one environment trains it"),
    # metrics
    "a gate on a metric that nothing computes": ("gates: {accuracy:", "gates: {§acuracy:", "unknown-metric", "nothing computes 'acuracy'", "did you mean 'accuracy'?"),
    "a fairness gate without sensitive columns": ("gates: {accuracy:", "gates: {§demographic_parity_difference:", "needs-sensitive", "no dataset of the model names any", "sensitive: [column]` to datasets.customers"),
    "tuning for a metric that is not reported": ("script: train.py\n", "script: train.py\n    tune: {metric: §f1, trials: 3, search: {c: {values: [1, 2]}}}\n", "unknown-metric", "'f1' is not in models.churn.metrics", ""),
    "drift without capture": ("mode: real-time", "mode: real-time\n    monitor: {limits: {§drift_psi: {at_most: 0.2}}}", "drift-without-capture", "drift is measured on captured calls, and nothing is captured", "capture:"),
    "drift with a capture of nothing": ("mode: real-time", "mode: real-time\n    capture: {percent: 0}\n    monitor: {limits: {§drift_psi: {at_most: 0.2}}}", "drift-without-capture", "capture.percent is 0", ""),
    "a limit on a metric of nobody": ("mode: real-time", "mode: real-time\n    monitor: {limits: {§latency_p98_ms: {at_most: 3}}}", "unknown-metric", "nothing computes 'latency_p98_ms' for serving.api", "did you mean 'latency_p99_ms'?"),
    "a limit on quality without the truth": ("mode: real-time", "mode: real-time\n    capture: {}\n    monitor: {limits: {§accuracy: {at_least: 0.7}}}", "needs-outcomes", "'accuracy' can only be measured against the truth", "outcomes"),
    "a rollout that waits for drift": ("mode: real-time", "mode: real-time\n    rollout: {limits: {§drift_psi: {at_most: 0.2}}}", "unknown-metric", "'drift_psi' is not measured while rolling out", ""),
    "retraining on a limit that nobody watches": ("    metrics:", "    retrain: {limits: [§drift_psi]}\n    metrics:", "unknown-metric", "no monitor of a serving entry with 'churn' has a limit on 'drift_psi'", ""),
    # tuning
    "grid over a continuous range": ("script: train.py\n", "script: train.py\n    tune: {strategy: grid, search: {c: {§continuous: [0.1, 1]}}}\n", "grid-over-continuous", "'c' is continuous", "list 'values'"),
    "a range that runs backwards": ("script: train.py\n", "script: train.py\n    tune: {trials: 3, search: {d: {integer: §[9, 2]}}}\n", "contradiction", "the range of 'd' runs from 9 to 2", ""),
    "a range of three": ("script: train.py\n", "script: train.py\n    tune: {trials: 3, search: {d: {integer: §[1, 2, 3]}}}\n", "wrong-length", "has 3 values; it takes 2", ""),
    "a logarithmic range from zero": ("script: train.py\n", "script: train.py\n    tune: {trials: 3, search: {d: {continuous: §[0, 2], scale: logarithmic}}}\n", "out-of-range", "starts above 0", ""),
    "more parallel trials than trials": ("script: train.py\n", "script: train.py\n    tune: {trials: 3, parallel: §4, search: {d: {values: [1]}}}\n", "out-of-range", "4 trials cannot run in parallel when there are 3", ""),
    "searched and fixed": ("script: train.py\n", "script: train.py\n      hyperparameters: {d: 1}\n    tune: {trials: 3, search: {§d: {values: [1]}}}\n", "given-twice", "'d' is searched and also fixed", ""),
    "no number of trials": ("script: train.py\n", "script: train.py\n    §tune: {search: {d: {values: [1]}}}\n", "missing", "models.churn.tune needs 'trials'", "grid"),
    # schedules
    "a cron schedule of four fields": ("    metrics:", '    retrain: {schedule: §"0 3 * *"}\n    metrics:', "bad-cron", "it has 4 fields, not 5", "e.g."),
    "a cron minute of 61": ("    metrics:", '    retrain: {schedule: §"61 3 * * *"}\n    metrics:', "bad-cron", "'61' is not a minute, 0 to 59", ""),
    "a cron schedule that never fires": ("    metrics:", '    retrain: {schedule: §"0 3 30 2 *"}\n    metrics:', "cron-never-fires", "'0 3 30 2 *' never fires", ""),
    "a time zone of nowhere": ("region: eu-west-1", "region: eu-west-1\ntimezone: §Europe/Amsterdm", "unknown-timezone", "'Europe/Amsterdm' is not a time zone", "did you mean 'Europe/Amsterdam'?"),
    # texts
    "an address without a domain": ("oncall@acme.com", "§oncall", "bad-email", "'oncall' is not an e-mail address", ""),
    "a source of an unknown kind": ("source: data/customers.csv", "source: §s3a://bucket/x", "unknown-source", "'s3a://' is not a kind of source", "did you mean 's3://'?"),
    "a source that names nothing": ("source: data/customers.csv", "source: §s3://", "unknown-source", "'s3://' names nothing", ""),
    "a path of one machine": ("source: data/customers.csv", "source: §/home/me/x.csv", "bad-path", "is there on one machine only", "relative"),
    "a Windows path": ("source: data/customers.csv", "source: §data\\customers.csv", "bad-path", "has a backslash", ""),
    "a notebook as a script": ("script: train.py", "script: §train.ipynb", "bad-script", "'train.ipynb' is not a script", ".py, .R or .sh"),
    "a script outside of the code": ("script: train.py", "script: §../train.py", "bad-script", "is outside of the model's code", ""),
    "an id with a space": ("alerts:", 'existing: {key: §"a b"}\nalerts:', "bad-id", "'a b' is not an id", ""),
    "an output of a stack without its name": ("alerts:", "existing: {key: §stack://other/prod}\nalerts:", "bad-id", "does not name an output", "stack://BLUEPRINT/ENVIRONMENT/OUTPUT"),
    "an exception without a reason": ("alerts:", "exceptions: {rule: {at: name, until: 2027-01-31, reason: §''}}\nalerts:", "empty", "exceptions.rule.reason cannot be empty", ""),
    "an exception until no day": ("alerts:", "exceptions: {rule: {at: name, reason: x, until: §2027-02-30}}\nalerts:", "bad-date", "'2027-02-30' is not a date", "YYYY-MM-DD"),
    "an exception without an end": ("alerts:", "exceptions: {§rule: {at: name, reason: x}}\nalerts:", "missing", "exceptions.rule needs 'until'", ""),
    "an exception for nothing": ("alerts:", "exceptions: {rule: {at: §serving.apy, reason: x, until: 2027-01-31}}\nalerts:", "unknown-path", "there is nothing at 'serving.apy'", "did you mean 'serving.api'?"),
    "a rename to what is not there": ("alerts:", "moved: {§serving.apj: serving.old}\nalerts:", "unknown-path", "there is no 'serving.apj'", "did you mean 'api'?"),
    "a rename across sections": ("alerts:", "moved: {§serving.api: models.old}\nalerts:", "bad-move", "'models.old' cannot become 'serving.api'", ""),
    "a rename of what is still there": ("alerts:", "moved: {serving.api: §serving.api}\nalerts:", "bad-move", "is still there", ""),
    "a template": ("alerts:", "§extends: [{template: x}]\nalerts:", "no-templates", "templates cannot be found here", ""),
    "a model from a hub without a revision": ("    train:\n      script: train.py\n    evaluate: {script: evaluate.py, gates: {accuracy: {at_least: 0.8}}}", "    source: §hf://org/name", "unknown-source", "is not a model on Hugging Face", "revision"),
    # substitutions
    "a variable that is not one": ("{team: risk}", '{team: "x-§${environmnt}-y"}', "substitution", "'${environmnt}' is not a variable", "did you mean '${environment}'?"),
    "an unquoted variable between braces": ("{team: risk}", "{team: x-$§{environment}-y}", "syntax", "", "quote a text with `${…}` between braces"),
    "an open variable": ("{team: risk}", "{team: 'x-§${name'}", "substitution", "'${' is not closed", "$${"),
    "an account where there is none": ("  dev: {account: 012345678901, protect", "  dev: {tags: {team: 'x${region}§${account}'}, protect", "substitution", "'${account}' has no value here in tags.team", "give the environment its 'account'"),
    # files
    "a dataset file that is not there": ("data/customers.csv", "§data/customer.csv", "missing-file", "there is no file or folder 'data/customer.csv'", "did you mean 'customers.csv'?"),
    "a code folder that is not there": ("workload/", "§work/", "missing-file", "there is no folder 'work'", "did you mean 'workload'?"),
    "a code folder that is a file": ("workload/", "§data/customers.csv", "missing-file", "'data/customers.csv' is a file, not a folder", ""),
    "a script that is not there": ("script: train.py", "script: §trian.py", "missing-file", "there is no file 'workload/trian.py'", "did you mean 'train.py'?"),
    "a Dockerfile that is not there": ("{framework: scikit-learn, version: 1.9}", "{dockerfile: §Dockerfile}", "missing-file", "there is no file 'Dockerfile'", ""),
    # serving
    "fewer at most than at least": ("{min: 1, max: 4, target: {cpu_percent: 60}}", "{min: §5, max: 4, target: {cpu_percent: 60}}", "contradiction", "serving.api.scaling.min is 5 and so above max, 4 (in local and dev)", ""),
    "scaling by nothing": ("    scaling: {min: 1, max: 4, target: {cpu_percent: 60}}", "    §scaling: {min: 1, max: 4}", "missing", "serving.api.scaling needs 'target'", ""),
    "a GPU target without a GPU": ("target: {cpu_percent: 60}", "target: {gpu_percent: §60}", "no-gpu", "size small has no GPU", ""),
    "a canary without a share": ("mode: real-time", "mode: real-time\n    §rollout: {strategy: canary, wait_minutes: 5}", "missing", "serving.api.rollout needs 'percent' for strategy canary", ""),
    "a share of all at once": ("mode: real-time", "mode: real-time\n    rollout: {§percent: 10}", "no-effect", "strategy all-at-once has no steps", "null"),
    "traffic that is not all": ("mode: real-time", "mode: real-time\n    §variants: {a: {model: churn, traffic_percent: 60}, b: {model: churn, traffic_percent: 30}}", "traffic", "sums to 90, not 100 (a 60, b 30)", ""),
    "only shadows": ("mode: real-time", "mode: real-time\n    §variants: {a: {model: churn, shadow_percent: 60}}", "traffic", "every variant is a shadow", ""),
    "a shadow with traffic": ("mode: real-time", "mode: real-time\n    variants: {a: {traffic_percent: 100, §shadow_percent: 60}}", "alternatives", "takes one of traffic_percent or shadow_percent", ""),
    "no share in one of two variants": ("mode: real-time", "mode: real-time\n    variants: {a: {traffic_percent: 100}, §b: {model: churn}}", "missing", "serving.api.variants.b needs traffic_percent or shadow_percent", ""),
    # data
    "a window over no time": ("format: csv,", "format: csv, window_days: §7,", "needs-field", "needs a column that says what is new", "'time' or 'partition'"),
    "a check that nothing passes": ("format: csv,", "format: csv, checks: {age: {at_least: §9, at_most: 1}},", "contradiction", "no value of 'age' is at least 9 and at most 1", ""),
    "deleting somebody else's data": ("source: data/customers.csv,", "source: s3://b/x, retention_days: §7,", "not-ours", "is used in place; nothing in it is deleted", ""),
    "a feature without its entity": ("models:\n", "features: {§f: {time: t, fields: {a: float}}}\nmodels:\n", "missing", "features.f needs 'entity'", "existing"),
    "spot waiting without spot": ("script: train.py\n", "script: train.py\n      §spot_wait_minutes: 5\n", "needs-field", "is for spot capacity", ""),
    # layers
    "an overlay of an unknown section": ("    serving: {api: {scaling: {max: 20}}}", "    §servin: {api: {scaling: {max: 20}}}", "unknown-key", "'servin' is not a section of a blueprint (in prod)", "did you mean 'serving'?"),
    "an overlay of an unknown entry": ("    serving: {api: {scaling: {max: 20}}}", "    serving: {§apj: {scaling: {max: 20}}}", "unknown-entry", "there is no serving.apj to change", "did you mean 'api'?"),
    "an overlay that changes the platform": ("    account: 210987654321\n", "    account: 210987654321\n    §platform: vertex\n", "fixed-key", "'platform' cannot differ between environments", ""),
    "an overlay that removes nothing": ("    account: 210987654321\n", "    account: 210987654321\n    budget: §null\n", "nothing-to-remove", "there is no budget to remove", ""),
    "an overlay that breaks a rule with the base": ("{max: 20}", "{min: §9}", "contradiction", "serving.api.scaling.min is 9 and so above max, 4 (in prod)", ""),
    "an overlay with a wrong type": ("{max: 20}", "{max: §many}", "wrong-type", "serving.api.scaling.max takes a whole number, not 'many' (in prod)", ""),
    "an environment without anything": ("  dev: {account: 012345678901, protect: false}", "  §dev:", "wrong-type", "environments.dev takes a partial blueprint", "write `{}`"),
    "options of another platform": ("alerts:", "options: {§vertex: {}}\nalerts:", "no-effect", "options for vertex do nothing on sagemaker", ""),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MISTAKES)
def test_a_mistake_is_told_where_it_is(project: Path, sentence: str) -> None:
    old, new, code, message, hint = MISTAKES[sentence]
    assert BASE.count(old) >= 1, "the row replaces nothing"
    marked = BASE.replace(old, new, 1)
    text, line, column = place(marked) if "§" in marked else (marked, 0, 0)
    found = check(project, text)
    there = [item for item in found if item.code == code and message in item.message]
    assert there, found
    (item,) = there
    assert hint in item.hint
    assert item.snippet == text.split("\n")[item.line - 1]
    assert item.file.endswith("blueprint.yaml")
    if line:
        assert (item.line, item.column) == (line, column)
        assert 1 <= item.length <= len(item.snippet) - column + 1


def test_the_blueprint_that_the_mistakes_are_made_in_has_none(project: Path) -> None:
    assert check(project, BASE) == []


@pytest.mark.parametrize(
    "sentence",
    [
        sentence
        for sentence, row in MISTAKES.items()
        if row[2] not in ("missing", "illegal-name", "name-too-long", "unknown-key")
    ],
)
def test_a_mistake_is_told_once(project: Path, sentence: str) -> None:
    old, new, code, _, _ = MISTAKES[sentence]
    found = check(project, BASE.replace(old, new.replace("§", ""), 1))
    assert [item.code for item in found].count(code) == 1, found


def test_all_mistakes_are_told_in_one_pass_in_the_order_of_the_file(project: Path) -> None:
    text = (
        BASE.replace("platform: sagemaker", "platform: sagemker")
        .replace("mode: real-time", "mode: real-time\n    model: nobody")
        .replace("script: train.py", "script: trian.py")
        .replace("oncall@acme.com", "oncall")
        .replace("max: 20", "max: many")
    )
    found = check(project, text)
    assert [item.code for item in found] == [
        "unknown-value",
        "missing-file",
        "unknown-reference",
        "bad-email",
        "wrong-type",
    ]
    assert [item.line for item in found] == sorted(item.line for item in found)


def test_a_mistake_of_all_environments_names_none_and_of_some_names_them(project: Path) -> None:
    text = BASE.replace("name: churn", "name: Churn").replace("max: 4", "max: 21")
    text = text.replace("max: 20", "min: 30")
    found = check(project, text)
    assert "(in" not in found[0].message
    assert found[1].message.endswith("(in prod)")


def test_load_raises_all_of_them(project: Path) -> None:
    path = project / "blueprint.yaml"
    path.write_text(BASE.replace("small", "tiny").replace("acme.com", "acme"))
    with pytest.raises(BlueprintInvalid) as caught:
        load(path)
    assert [item.code for item in caught.value.diagnostics] == ["unknown-value", "bad-email"]
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file"),
        (b"name: caf\xe9\n", "is not UTF-8: byte 0xe9 in line 1"),
        ("name: x".encode("utf-16"), "is UTF-16"),
        (b"#" * (1024 * 1024 + 1), "is larger than 1024 KiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_usage_error(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "blueprint.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        load(path)
    assert caught.value.hint


def test_a_folder_is_not_a_blueprint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        load(tmp_path)


STRICT = {
    "nothing watches serving.api": "no-monitor",
    "nothing takes a bad version of serving.api back": "no-rollback",
    "nothing watches the costs": "no-budget",
}


def test_strict_names_what_production_lacks_as_warnings(project: Path) -> None:
    found = check(project, BASE, strict=True)
    assert {item.message.removesuffix(" (in prod)"): item.code for item in found} == STRICT
    assert {item.severity for item in found} == {"warning"}
    assert all(item.message.endswith("(in prod)") for item in found), "dev is not protected"


def test_strict_is_content_with_a_complete_stack(project: Path) -> None:
    text = BASE.replace(
        "mode: real-time",
        "mode: real-time\n    monitor: {limits: {latency_p99_ms: {at_most: 300}}}\n"
        "    rollout: {limits: {error_rate_percent: {at_most: 1}}}",
    ).replace("alerts:", "budget: {monthly_usd: 100}\nalerts:")
    assert check(project, text, strict=True) == []


def test_strict_misses_somebody_to_tell(project: Path) -> None:
    text = BASE.replace("alerts: {oncall: {email: oncall@acme.com}}\n", "")
    assert "no-alerts" in [item.code for item in check(project, text, strict=True)]


CONSEQUENCES = {
    "a version of a misspelt framework": ("framework: scikit-learn", "framework: sklearn"),
    "a wait for misspelt spot capacity": (
        "script: train.py\n",
        "script: train.py\n      spot_wait_minutes: 5\n      compute: {spot: yes}\n",
    ),
    "a share of a misspelt rollout": (
        "mode: real-time",
        "mode: real-time\n    rollout: {strategy: canery, percent: 5, wait_minutes: 5}",
    ),
    "a window over a broken column": (
        "format: csv,",
        "format: csv, window_days: 5, time: [a],",
    ),
    "traffic with a broken share": (
        "mode: real-time",
        "mode: real-time\n    variants: {a: {traffic_percent: all}, b: {traffic_percent: 10}}",
    ),
    "a gate on a broken metric": ("{accuracy: maximize}", "{accuracy: up}"),
    "references to a broken model": ("script: train.py\n", "scrip: train.py\n"),
    "scaling with a broken bound": ("max: 4,", "max: four,"),
}


@pytest.mark.parametrize("sentence", CONSEQUENCES)
def test_what_follows_from_a_mistake_is_not_told_again(project: Path, sentence: str) -> None:
    old, new = CONSEQUENCES[sentence]
    assert old in BASE
    found = check(project, BASE.replace(old, new, 1))
    kinds = {item.code for item in found}
    assert kinds <= {"unknown-value", "wrong-type", "unknown-key", "missing"}
    assert len(kinds) == len(found) == (2 if "scrip:" in new else 1), found


def test_an_entry_with_a_misspelt_mode_is_read_on_as_the_mode_that_was_meant(project: Path) -> None:
    text = BASE.replace("mode: real-time", "mode: realtime\n    capture: {percent: 101}\n    x: 1")
    text = text.replace("min: 1", "min: 9")
    found = [(item.code, item.path) for item in check(project, text)]
    assert found == [
        ("unknown-value", "serving.api.mode"),
        ("out-of-range", "serving.api.capture.percent"),
        ("unknown-key", "serving.api.x"),
        ("contradiction", "serving.api.scaling.min"),
    ]


def test_a_misspelt_mode_follows_from_nothing_else(project: Path) -> None:
    """Defaults and layers, too, are those of the mode that was meant."""
    text = BASE.replace("mode: real-time", "mode: realtime\n    model: churn")
    text = text.replace(
        "serving: {api: {scaling: {max: 20}}}", "serving: {api: {variants: {a: {model: churn}}}}"
    )
    assert [item.code for item in check(project, text)] == ["unknown-value"]


def test_a_mode_that_means_nothing_is_reported_alone(project: Path) -> None:
    text = BASE.replace("mode: real-time", "mode: quantum\n    x: 1")
    assert [item.code for item in check(project, text)] == ["unknown-value"]
