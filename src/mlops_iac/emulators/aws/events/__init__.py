"""EventBridge in the emulated AWS: what happens to versions and runs reaches the targets of rules.

moto matches events with the patterns of rules. It has no events of SageMaker, and of the targets that
our stacks have it knows no topic and no function.
"""
