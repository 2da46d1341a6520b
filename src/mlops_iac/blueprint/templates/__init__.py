"""Templates a blueprint builds on: read, filled in with parameters, laid under it, held to.

Stages: a finder's `content` → `manifest` (template.yaml) → `parameters` (what a team gave) →
`filling` (values put into the tree) → `applying` (order, cycles) → layers below the blueprint →
`limits` (what nothing above can undo).
"""
