"""Stacks deployed, and what is known of them: engines, states, saved plans, versions served."""
