"""An emulated Azure: a store of ARM resources in a process of its own, and a Pulumi provider over it."""
