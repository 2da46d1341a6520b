"""Posting a comment: one per project and stack, found again by its marker and rewritten.

`target` says where (flags, then the CI's variables), `http` how a platform is asked (bounded
retries, deadlines, no token in any message), one module per platform what its API is called, and
`upsert` what is done: look, rewrite or create, look again. Standard library only, and nothing of it
is imported before something is posted.
"""
