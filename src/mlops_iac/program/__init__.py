"""Component calls of every environment in, one Pulumi program out."""
