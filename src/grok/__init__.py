"""Grokking, measured: "Progress measures for grokking via mechanistic interpretability" as experiments.

arithmetic     the questions, their answers, the split; checks: what a user may type for a number
transformer    the paper's network            cross_entropy   its loss, accurate to 1e-30
fourier        bases over Z_p                 keys            spectra and key frequencies
measures       the progress measures          table           all of them, of one network
phases         events, phases, regime         schedule        when a run is measured
lit            Lightning's view of it         final_keys      the pass at the end of a run
run_folder     a run on disk                  resume          going on with one
experiment     a run, put together            train           the command
claims         what the paper says of networks, each a function; layouts: other people's checkpoints
subject        a network to be opened         analyze, export the commands
analysis_history, pictures, claim_figures, history_figures: what they write; settings: how they are told
figures, console, provenance, places, wandb_logger: what they say
"""
