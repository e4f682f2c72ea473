"""Two plans compared by meaning: what changed, and what can pass now that could not before."""
