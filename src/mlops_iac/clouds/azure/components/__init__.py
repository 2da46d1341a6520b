"""Building blocks of stacks on Azure, each a Pulumi component. Users may take a copy of them."""
