"""What a search over settings minimises or maximises: a final metric of a run, or the step of one of its events."""

import math

from omegaconf import DictConfig

from grok.runs.folder import RunFolder

EVENTS = "events/"


def objective(config: DictConfig) -> float:
    """The run's value of `optimized_metric`.

    An event that was not reached counts as `trainer.max_steps`, below which it is known not to lie; a metric that the
    run does not have, as after divergence, is nan, which fails that trial alone.
    """
    summary = RunFolder(config.folder).summary()
    name = config.optimized_metric
    if summary.get("status") != "finished":
        return math.nan
    if name.startswith(EVENTS):
        events = summary.get("phases", {})
        event = name.removeprefix(EVENTS)
        if event not in events:
            raise ValueError(f"`optimized_metric` must be an event, one of {', '.join(events)}. Got {name}.")
        return float(events[event][1] if events[event] else config.trainer.max_steps)
    values = summary.get("final", {})
    if name not in values:
        raise ValueError(
            f"`optimized_metric` must be a column of metrics.csv or final_keys.csv, such as loss/test, or an event"
            f" such as events/generalized. Got {name}."
        )
    return math.nan if values[name] is None else float(values[name])
