"""What the commands print, as values: runs, sweeps and networks opened in Python, and training from a cell."""
