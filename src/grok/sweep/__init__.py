"""Many runs: points known by their configuration, each in a process of its own, on one machine or on SLURM.

folder        a sweep on disk                 frozen_code   what its points run from
launch        a sweep from beginning to end   estimate      what it will take
slots, pool   room for processes, and them    batch         points on them
slurm         batches as an array of jobs     point         one point, a command
censoring     events that did not come        figures       pictures and table, for `grok.collect`
"""
