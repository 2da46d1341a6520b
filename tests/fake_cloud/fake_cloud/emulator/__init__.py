"""The emulated fake cloud, a Pulumi provider over one file."""
