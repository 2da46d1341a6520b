"""`mlops-iac template …`: one module per command, imported when it is called."""

from __future__ import annotations

from mlops_iac.cli._app import LazyGroup

# Command → module of this package and one line of help: a template's life, then a team's.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("_template_init", "Start a template that tests green."),
    "test": ("_template_test", "Everything wrong with a template, and its cases."),
    "release": ("_template_release", "What a version changes, whether it says so, and its tag."),
    "docs": ("_template_docs", "Write a template's reference."),
    "ls": ("_template_ls", "List the templates there are to build on."),
    "show": ("_template_show", "A template's parameters, limits, changelog; or those in use."),
    "update": ("_template_update", "Another version of a template: what it does, then take it."),
    "usage": ("_template_usage", "Which blueprint stands on which version of a template."),
}


command = LazyGroup(
    "template",
    COMMANDS,
    help="What blueprints build on: write templates, check them, keep to their versions.",
)
