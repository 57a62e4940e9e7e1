"""Pages of runs and sweeps, made from their folders alone: `python -m grok.report <run or sweep folder>`."""
