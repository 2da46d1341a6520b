"""Physical names: readable, within every limit, the same from run to run.

Standard library only, so that a blueprint can be checked without a provider SDK.
"""

from __future__ import annotations

import re

_DIGEST = 7  # hex digits that replace what is cut
# What automatic naming adds to a name: a hyphen and seven hex digits.
SUFFIX = 8
# What all names of a stack begin with is cut here, so that the shortest limit leaves room for more.
STEM_LIMIT = 32

# Longest names, from botocore's service models ("max" of the named shapes) unless noted.
ENDPOINT_LIMIT = 63  # sagemaker EndpointName, also EndpointConfigName, ModelName, TrainingJobName
PACKAGE_GROUP_LIMIT = 63  # sagemaker EntityName
TUNING_JOB_LIMIT = 32  # sagemaker HyperParameterTuningJobName
PIPELINE_LIMIT = 256  # sagemaker PipelineName
ALARM_LIMIT = 255  # cloudwatch AlarmName
ROLE_LIMIT = 64  # iam roleNameType
CATALOGUE_LIMIT = 255  # glue NameString
FUNCTION_LIMIT = 64  # lambda FunctionName
RULE_LIMIT = 64  # events RuleName
SCHEDULE_LIMIT = 64  # scheduler Name, ScheduleGroupName
QUEUE_LIMIT = 80  # Amazon SQS API reference, CreateQueue: QueueName
BUCKET_LIMIT = 63  # Amazon S3 user guide, "Bucket naming rules"

_INSIDE = (
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:lambda/permission:Permission",
)


def truncate(name: str, limit: int) -> str:
    """`name` itself when it is short enough, else its beginning and a hash of the whole.

    Two different names stay different (but for a collision of 28 bits of SHA-256). Raises
    ValueError when `limit` leaves no room for a readable letter beside the hash.
    """
    if limit < _DIGEST + 2:
        raise ValueError(f"a limit of {limit} characters is too short for a name and its hash")
    if len(name) <= limit:
        return name
    from hashlib import sha256  # few names are that long

    digest = sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: limit - _DIGEST - 1].rstrip('-._')}-{digest}"


def slug(text: str) -> str:
    """`text` with everything but letters, digits and hyphens as one hyphen.

    SageMaker's names match `[a-zA-Z0-9](-*[a-zA-Z0-9])*` (botocore, EndpointName).
    Raises ValueError when nothing is left.
    """
    result = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    if not result:
        raise ValueError(f"{text!r} has no letter or digit to make a name of")
    return result


def stem(project: str, stack: str) -> str:
    """What every name of a stack begins with, so that rights can be confined to it.

    `<project>-<stack>`, at most `STEM_LIMIT` characters.
    """
    return truncate(slug(f"{project}-{stack}"), STEM_LIMIT)


def physical_name(project: str, stack: str, name: str, limit: int) -> str:
    """The literal name of a resource whose name others must know before it exists.

    `<project>-<stack>-<name>`, at most `limit` characters.
    """
    return truncate(slug(f"{stem(project, stack)}-{name}"), limit)


def name_prefix(project: str, stack: str, name: str, limit: int) -> str:
    """What the provider shall finish at random: `<project>-<stack>-<name>-`, or less of it."""
    start = stem(project, stack)
    longest = truncate(f"{start}-{slug(name)}", limit - 1)
    return f"{longest if longest.startswith(f'{start}-') else start}-"


def long_name(project: str, stack: str, name: str, limit: int) -> str | None:
    """A literal name where the automatic one, `<project>-<stack>-<name>-<random>`, is too long."""
    full = f"{stem(project, stack)}-{name}"
    return None if len(full) + SUFFIX <= limit else truncate(slug(full), limit)


def automatic_names(project: str, stack: str) -> dict[str, object]:
    """Pulumi's own configuration of the names it makes, `pulumi:autonaming`.

    What is named within another resource of the stack keeps Pulumi's names, which are shorter.
    """
    plain = {"mode": "default"}
    return {
        "pattern": f"{stem(project, stack)}-${{name}}-${{hex({SUFFIX - 1})}}",
        "providers": {"aws": {"resources": dict.fromkeys(_INSIDE, plain)}},
    }


def catalogue_stem(project: str, stack: str) -> str:
    """What databases of a stack begin with: Athena takes letters, digits and underscores alone."""
    return stem(project, stack).replace("-", "_").lower()


def catalogue_name(name: str, start: str = "") -> str:
    """`<start>_<name>` as a database or table of the catalogue is called."""
    full = f"{start}_{name}" if start else name
    return truncate(slug(full).lower(), CATALOGUE_LIMIT).replace("-", "_")


def alarm_name(endpoint_name: str, variant_name: str, metric: str) -> str:
    """The literal name of one alarm of one variant; `metric` is ours (`error-rate`)."""
    return truncate(f"{endpoint_name}-{variant_name}-{metric}", ALARM_LIMIT)


def sid(text: str) -> str:
    """`text` as a statement id: letters and digits only (IAM user guide, "Sid")."""
    words = re.split(r"[^A-Za-z0-9]+", text)
    result = "".join(word[:1].upper() + word[1:] for word in words if word)
    if not result:
        raise ValueError(f"{text!r} has no letter or digit to make a statement id of")
    return result
