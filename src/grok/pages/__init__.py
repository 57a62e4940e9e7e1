"""Reports: pages from the folders alone, and W&B reports."""
