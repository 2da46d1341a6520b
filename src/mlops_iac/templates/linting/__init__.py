"""What is wrong with a template, found without a graph: one pass, every finding at its line.

Rules, one family per module, over a template that was read. `resolving` lays the template under the small teams of its cases, with each other choice of
their parameters. What a platform or a policy says is asked by the API.
"""
