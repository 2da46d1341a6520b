"""Where templates come from and how a blueprint keeps to one version of each.

`sources` (folder, git, Python package, built-in) → `cache` (contents by digest) → `finder`, which
prefers what `lockfile` pins. Nothing of a template is run or written outside the cache; what is
refused before anything reads it stands in `files`.
"""
