"""What every emulated cloud shares; each cloud adds its API and its exceptions."""
