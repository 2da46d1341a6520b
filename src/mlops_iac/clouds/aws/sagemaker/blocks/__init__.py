"""What a stack has besides its models and how it serves, a block in each file."""
