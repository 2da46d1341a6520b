"""`mlops-iac template …`: one module per command, imported when it is called."""

from __future__ import annotations

import importlib

import click

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


class TemplateGroup(click.Group):
    """Imports a command's module when it is called; each has a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mlops_iac.cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


command = TemplateGroup(
    "template",
    help="What blueprints build on: write templates, check them, keep to their versions.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
