"""Evaluate a run's history again by its final key frequencies: `python -m grok.final_keys <run folder>`.

From the snapshots that are kept; what the run came to is written and printed anew.
"""

from collections.abc import Sequence

from grok.runs.conclusion import conclude
from grok.runs.folder import RunFolder
from grok.runs.lock import locked
from grok.settings.commands import folder_and_settings, run
from grok.settings.pasting import command, next_commands


def repeat(arguments: Sequence[str]) -> None:
    """Repeat the pass for a run folder and print what it comes to."""
    path, _ = folder_and_settings("final_keys <run folder>", arguments, {})
    folder = RunFolder(path)
    if not folder.config.exists():
        raise ValueError(f"{folder.path} must be the folder of a run, with a config.yaml. It has none.")
    with locked(folder.path):
        conclusion = conclude(folder)
        concluded = {"status": "finished"} if folder.summary().get("status") == "concluding" else {}
        folder.write_summary(**conclusion.summary(), **concluded)
    for name, value in conclusion.summary().items():
        print(f"{name}: {value}")
    print(f"{len(conclusion.curves)} snapshots evaluated, in {folder.final_keys}")
    print(next_commands(command("report", path), command("analyze", path)))


def main() -> None:
    """The command."""
    run(repeat, __doc__)


if __name__ == "__main__":
    main()
