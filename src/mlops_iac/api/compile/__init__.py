"""A project as a program and as captured resources, and what is checked of both."""
