"""Grokking, measured: "Progress measures for grokking via mechanistic interpretability" as experiments.

The mathematics, which knows no framework:
arithmetic     the pairs, their answers, the split; checks: what a user may type for a number
transformer    the paper's network            cross_entropy, fused   its loss and its inner pieces
fourier        bases over Z_p                 keys            spectra and key frequencies
measures       the progress measures          table           all of them, of one network
phases         events, phases, regime         claims          what the paper says of networks, each a function

A run:
lit            Lightning's view of it         adamw, machine  its step, as fast as it goes
schedule       when it is measured            metrics         what each measurement is called, and means
experiment     put together                   train           the command
run_folder     on disk                        resume          gone on with
final_keys     the pass at its end            console, figures, provenance, places, wandb_logger: what it says

Commands that look at folders, told by settings:
status         how far runs are               collect         a sweep's runs in one table
analyze, export   a network opened (analysis) report          pages, here and at W&B
sync           offline runs sent to W&B (wandb_history)

sweep          many runs, on one machine or on SLURM
"""
