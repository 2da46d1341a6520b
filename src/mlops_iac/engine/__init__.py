"""One protocol, two engines: `embedded` for emulated clouds and capture, `pulumi` for real ones."""
