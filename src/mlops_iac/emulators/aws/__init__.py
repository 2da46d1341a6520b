"""Emulated AWS: a Pulumi provider on moto."""
