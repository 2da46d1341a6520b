"""Guard rails that speak of the fake cloud's types."""
