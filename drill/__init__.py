"""Faults of every kind, done to real processes: `make drill`.

Each fault is done to a run, a sweep or another command, and judged by what is on disk and what was said:

    survived    all that was computed is there, byte for byte as without the fault, or one sentence says what is not
    lost        a result changed, vanished, or cannot be had again
    unclear     nothing was lost, but the user was not told in one sentence: a traceback, silence, a hang

docs/reliability.md has what is promised, and the figures.
"""
