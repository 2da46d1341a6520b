"""Lambda functions of a stack, each a file of its own. They import nothing of the rest.

Each runs on Python 3.9 and newer with the standard library and boto3 alone.
"""
