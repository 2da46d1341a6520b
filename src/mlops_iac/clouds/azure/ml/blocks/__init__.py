"""The parts of a stack that are no modes of serving, a module for each."""
