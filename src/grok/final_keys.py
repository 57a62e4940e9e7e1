"""Evaluate a run's history again by its final key frequencies: `python -m grok.final_keys <run folder>`.

From the snapshots that are kept; what the run came to is written and printed anew.
"""

from collections.abc import Sequence

from grok.runs.conclusion import conclude
from grok.runs.files import clear_leftovers
from grok.runs.folder import RunFolder
from grok.runs.lock import locked
from grok.settings.commands import folder_and_settings, run
from grok.settings.pasting import command, next_commands


def repeat(arguments: Sequence[str]) -> None:
    """Repeat the pass for a run folder and print what it comes to."""
    path, settings = folder_and_settings("final_keys <run folder> [trust=true]", arguments, {"trust": False})
    folder = RunFolder(path)
    if not folder.config.exists():
        raise ValueError(f"{folder.path} must be the folder of a run, with a config.yaml. It has none.")
    with locked(folder.path):
        clear_leftovers(folder.path)
        conclusion = conclude(folder, trust=settings["trust"] is True)
        concluded = {"status": "finished"} if folder.summary().get("status") == "concluding" else {}
        folder.write_summary(**conclusion.summary(), **concluded)
        folder.seal()
    for name, value in conclusion.summary().items():
        print(f"{name}: {value}")
    if gone := folder.missing_snapshots():
        print(f"snapshots that were kept are gone, and not evaluated again: step {', '.join(map(str, gone))}")
    print(f"{len(conclusion.curves)} snapshots evaluated, in {folder.final_keys}")
    print(next_commands(command("report", path), command("analyze", path)))


def main() -> None:
    """The command."""
    run(repeat, __doc__)


if __name__ == "__main__":
    main()
