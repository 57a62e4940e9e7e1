"""Many runs: points known by their configuration, each in a process of its own, on one machine or on SLURM.

The way of a point, from the command line to its first step:

1. `grok.train -m`: Hydra composes its configuration; `hydra_plugins.grok_launcher` hands all of them to `launch`.
2. `requested` knows it by its hash (`identity`) and checks it; `join` lists it in sweep.json and freezes the code.
3. `batch` runs it on the `slots` of this machine by a `pool` of processes; `slurm` does the same within a job.
4. `point` is that process, on the frozen code: it starts the run, or goes on from its last checkpoint.
5. `grok.training.run` trains it, as it would train a run that was typed alone.

folder, frozen_code   a sweep on disk            dry_run, estimate   what it will take
slurm_queue           following SLURM's jobs     report, conclude    what is said meanwhile, and at the end
run_status, damage    how far runs are           table, overview, results   of `grok.collect`
"""
