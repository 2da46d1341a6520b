"""Emulated clouds, each a Pulumi provider that refuses every stack but `local`."""
