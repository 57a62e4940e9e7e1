"""The network: the paper's transformer, its loss, and what makes both fast."""
