"""The table of what the prebuilt containers do with code, from the facts that the product goes by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HEAD = """\
# What the prebuilt containers do with your code

By framework, as far as it decides whether a job or an endpoint starts. `validate` refuses what these
containers would. What you write yourself is in [the scripts' contract](scripts.md).

Written by `python tools/generated.py`.
"""
ROWS = (
    ("oldest version", "oldest.version"),
    ("a training starts", "training.starts"),
    ("… and installs before that", "training.installs"),
    ("serving is", "serving.server"),
    ("… serves", "serving.model"),
    ("… reads the variables", "serving.reads"),
    ("… calls of `inference.py`", "serving.handlers"),
    ("… installs before it starts", "serving.installs"),
    ("… workers", "serving.workers"),
    ("… time for an answer", "serving.timeout"),
    ("packages are published of", "packages"),
)


def reference() -> str:
    """Return the document."""
    from mlops_iac.clouds.aws import containers

    facts = containers.facts()["frameworks"]
    offline = containers.facts()["offline"]
    lines = [
        HEAD,
        f"| | {' | '.join(facts)} |",
        f"|---|{'---|' * len(facts)}",
        *(
            f"| {title} | {' | '.join(_value(each, key) for each in facts.values())} |"
            for title, key in ROWS
        ),
        "",
        (
            "Processing jobs start no toolkit: the entry point is the pipeline's own, which installs"
            " `requirements.txt` and runs the script. Batch transforms run the serving container."
        ),
        "",
        "Where no index is reached, every job and endpoint is given "
        + " and ".join(f"`{name}={value}`" for name, value in offline["environment"].items())
        + f" (source: {offline['source']}).",
        "",
        "## Sources",
        "",
    ]
    for framework, each in facts.items():
        lines += [f"- **{framework}**", *(f"  - {source}" for source in _sources(each))]
    return "\n".join(lines) + "\n"


def _value(facts: Any, key: str) -> str:
    for part in key.split("."):
        facts = facts.get(part, ())
    if isinstance(facts, str):
        return facts
    return ", ".join(f"`{each}`" for each in facts) or "—"


def _sources(facts: Any) -> Iterator[str]:
    parts = [facts["oldest"], facts["training"], facts["serving"]]
    for part in (*parts, *facts.get("packages", {}).values()):
        yield part["source"]
