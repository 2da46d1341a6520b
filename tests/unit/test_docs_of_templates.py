"""The template that docs/templates.md shows is one."""

from __future__ import annotations

import re
from pathlib import Path

from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.templates.limits import read_limits
from mlops_iac.blueprint.templates.manifest import read_manifest

DOCS = Path(__file__).parents[2] / "docs/templates.md"


def test_the_manifest_in_the_docs_is_read() -> None:
    blocks = re.findall(
        r"```yaml\n(template: 1.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL
    )
    assert blocks
    for number, block in enumerate(blocks):
        content = TemplateContent(
            "docs", f"sha256:docs-{number}", {"template.yaml": block.encode()}
        )
        reading = read_manifest(content)
        assert reading.manifest.version in reading.manifest.changelog or number


def test_every_limit_in_the_docs_has_a_path_of_the_language() -> None:
    text = re.search(r"```yaml\n(template: 1.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    content = TemplateContent("docs", "sha256:d", {"template.yaml": text[1].encode()})
    written = read_manifest(content).root.entries["limits"].value
    kept = {key: entry for key, entry in written.entries.items() if "most" not in key}
    kept.pop("serving.*.scaling.max")  # holds a parameter
    written.entries = kept
    limits, problems = read_limits(written, "acme/standard@2.1.0")
    assert problems == []
    assert len(limits) == 5
