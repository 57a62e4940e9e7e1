"""Training with Lightning: data and module, the full-batch step, a run from its configuration to its end."""
