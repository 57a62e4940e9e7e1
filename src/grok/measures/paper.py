"""Numbers of the paper's mainline run (arXiv 2301.05217), to be set beside those of a run like it.

Boundaries are those of §5.2, drawn there by eye; values are of the network at epoch 40,000.
"""

KEY_FREQUENCIES = (14, 35, 41, 42, 52)  # §4.1
EVENTS = {"memorization_end": 1_400, "cleanup_start": 9_400, "stable": 14_000}
VALUES: dict[str, float | tuple[float, float]] = {
    "loss/all": 2.41e-7,  # §4.4
    "final_keys/restricted_loss": 5.54e-8,  # §4.4
    "progress/sum_squared_weights": (942, 955),  # after and before a kink near epoch 43,000
    "neurons/explained": 0.846,  # §4.3
}
REMARKS = {"final_keys/restricted_loss": "at the neurons"}  # where the paper's number is not quite of the same thing
