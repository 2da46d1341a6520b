"""What `init` writes for a newcomer: a project that can be validated, deployed and run at once."""
