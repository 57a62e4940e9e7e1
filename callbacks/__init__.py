"""What is watched while a network trains: thin Lightning wiring around the functions of `grok`.

Each measuring callback reads the evaluation of all p² pairs in `on_validation_batch_end`, calls a function,
and logs what it returns. None computes a formula, and none depends on the order of the others.
"""

from callbacks.checkpoints import Checkpoints
from callbacks.interruption import Interruption
from callbacks.key_frequencies import KeyFrequencies
from callbacks.losses import Losses
from callbacks.phases import Phases
from callbacks.progress_bar import ProgressBar
from callbacks.progress_measures import ProgressMeasures
from callbacks.run_record import RunRecord
from callbacks.stopping import Stopping

__all__ = [
    "Checkpoints",
    "Interruption",
    "KeyFrequencies",
    "Losses",
    "Phases",
    "ProgressBar",
    "ProgressMeasures",
    "RunRecord",
    "Stopping",
]
