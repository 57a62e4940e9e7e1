"""Evaluate a run's history again by its final key frequencies.

usage: grok final_keys [folder] [trust=true]

From the snapshots that are kept; what the run came to is written and printed
anew.

folder        of a run, of a sweep, or of several of them; latest or nothing:
              the one that was measured last
trust=true    import a task or a network of somebody's own that the run's
              configuration names

grok final_keys logs/train/2026-01-31_12-00-00_p59
"""

from collections.abc import Sequence

from grok.runs.conclusion import conclude
from grok.runs.files import clear_leftovers
from grok.runs.folder import RunFolder
from grok.runs.lock import locked
from grok.runs.named import folder_named, for_each
from grok.settings.commands import run, settings
from grok.settings.pasting import command, from_here, next_commands
from grok.sweep.run_status import run_folders

KNOWN = {"trust": False}


def repeat(arguments: Sequence[str]) -> None:
    """Repeat the pass for every run named and print what it comes to."""
    typed, told = settings(arguments, KNOWN)
    if not isinstance(told["trust"], bool):
        raise ValueError(f"`trust` must be true or false. Got {told['trust']}.")
    path = folder_named(typed, measured=True)
    for_each(run_folders(path), lambda folder: _repeat(RunFolder(folder), told["trust"]))
    here = from_here(path)
    print(next_commands(command("report", here), command("analyze", here)))


def _repeat(folder: RunFolder, trust: bool) -> None:
    if not folder.config.exists():
        raise ValueError(f"{folder.path} must be the folder of a run, with a config.yaml. It has none.")
    with locked(folder.path):
        clear_leftovers(folder.path)
        conclusion = conclude(folder, trust=trust)
        concluded = {"status": "finished"} if folder.summary().get("status") == "concluding" else {}
        folder.seal(**conclusion.summary(), **concluded)
    for name, value in conclusion.summary().items():
        print(f"{name}: {value}")
    if gone := folder.missing_snapshots():
        print(f"snapshots that were kept are gone, and not evaluated again: step {', '.join(map(str, gone))}")
    print(f"{len(conclusion.curves)} snapshots evaluated, in {folder.final_keys}")


def main() -> None:
    """The command."""
    run(repeat, __doc__)


if __name__ == "__main__":
    main()
