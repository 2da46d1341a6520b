"""Emulated clouds, each a Pulumi provider that serves one stack: `local`, or one that is rehearsed."""
