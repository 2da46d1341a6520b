"""What is done with templates and needs graphs: update, test, lint, show, start a project from one."""
