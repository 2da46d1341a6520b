"""Posting a comment: one per project and stack, found again by its marker and rewritten.

`target` says where (flags, then the CI's variables), `http` how a platform is asked (bounded
retries, deadlines, no token in any message), `hosts` what each platform calls things, and `upsert`
what is done with the `comments`: look, rewrite or create, look again. `opening` opens pull requests.
Standard library only, and nothing of it is imported before something is posted.
"""
