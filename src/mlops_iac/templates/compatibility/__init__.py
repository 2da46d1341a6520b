"""What a version of a template changes for those who stand on the one before, by semver.

`model` (a change, and what it asks of the version number) ← `parameters`, `limits`, `guards`,
`contents` → `run.compare`, which holds the version number against them.
"""
