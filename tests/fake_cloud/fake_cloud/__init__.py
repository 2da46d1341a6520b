"""A cloud of four types, one platform and two modes: what a second cloud has to bring, and no more."""
