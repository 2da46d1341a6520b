"""AWS: components, catalogue and the platforms that are built of them."""
