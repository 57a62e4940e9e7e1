"""What a run came to, handed to its loggers: final-key curves, events, regime and pictures."""

from dataclasses import replace

from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from matplotlib.image import imread

from grok.loggers.trackio_logger import TrackioLogger
from grok.loggers.wandb_history import curves_of, pictures, rows
from grok.loggers.wandb_run import last_sent, log_conclusion
from grok.runs.folder import RunFolder


def give_conclusion(logger: Logger, folder: RunFolder) -> None:
    """Give a logger the conclusion of the run in `folder`: curves and events to any, pictures to those that take them.

    Curves of a run that may yet go on are left out: going on may end with other key frequencies.
    """
    last_step = int(folder.read(folder.metrics)["step"].iloc[-1])
    if isinstance(logger, WandbLogger):
        for row in rows(folder, replace(last_sent(logger.experiment, folder), measured=last_step)):
            logger.experiment.log(row)
        log_conclusion(logger.experiment, folder)
        return
    for _, measured in curves_of(folder).iterrows():
        curve = {str(name): float(value) for name, value in measured.items() if name != "step"}
        logger.log_metrics(curve, int(measured["step"]))
    reached = {f"events/{name}": float(when[1]) for name, when in folder.summary().get("phases", {}).items() if when}
    if reached:
        logger.log_metrics(reached, last_step)
    _give_pictures(logger, folder, last_step)
    if isinstance(logger, TrackioLogger):
        logger.close()
    logger.save()


def _give_pictures(logger: Logger, folder: RunFolder, step: int) -> None:
    regime, files = folder.summary().get("regime"), pictures(folder)
    if isinstance(logger, TensorBoardLogger):
        logger.experiment.add_text("regime", str(regime), step)
        for name, file in files.items():
            logger.experiment.add_image(name, imread(file)[..., :3], step, dataformats="HWC")
    elif isinstance(logger, MLFlowLogger):
        logger.experiment.set_tag(logger.run_id, "regime", regime)
        for file in files.values():
            logger.experiment.log_artifact(logger.run_id, str(file), "pictures")
    elif isinstance(logger, TrackioLogger):
        logger.log_pictures(files, step)
