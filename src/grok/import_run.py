"""Make a run folder of somebody else's trajectory.

usage: grok import_run <file or folder of files> [setting=value …]

The file holds several networks (state_dicts, checkpoints), or the folder one a
file. Each is measured as our own networks are; report, status, final_keys and
analyze work on what comes out.

output=<folder>                  a new run folder; by default one named by
                                 time in logs/
name=theirs                      what it is called
split=<file>                     the file of their training pairs

Where the files do not tell (short names work too: p, train_fraction, seed):

data.p=113                       modulus
data.operation=addition          addition, subtraction or x2+xy+y2
data.train_fraction=0.3          share of the p² pairs that they train on
data.seed=0                      of the authors' way to draw them
model.activation=relu            relu or gelu

grok import_run theirs.pth p=113 train_fraction=0.3 seed=0 output=logs/theirs
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from grok.notebook.training import configuration
from grok.settings.commands import run, settings
from grok.settings.pasting import command, from_here, next_commands
from grok.settings.quiet import quiet
from grok.training.importing import import_run as imported

KNOWN: dict[str, Any] = {
    "output": None,
    "name": None,
    "split": None,
    "data.p": None,
    "data.operation": None,
    "data.train_fraction": None,
    "data.seed": None,
    "model.activation": None,
}


def import_run(arguments: Sequence[str]) -> Path:
    """Import, say where it is, and return the folder."""
    path, told = settings(arguments, KNOWN)
    if path is None:
        raise ValueError("A trajectory is a file or a folder of files. None was named; --help has an example.")
    if not path.exists():
        raise ValueError(f"A trajectory is a file or a folder of files. {path} is neither.")
    output = told["output"]
    if output is not None and Path(output).exists() and any(Path(output).iterdir()):
        raise ValueError(f"`output` must be a new folder. {output} holds other things.")
    overrides = ["logger=none", f"name={told['name'] or 'imported'}"]
    config = configuration(overrides, output)
    try:
        with quiet():
            folder = imported(path, told, config)
    except ValueError:
        with suppress(OSError):
            Path(config.folder).rmdir()  # where nothing was written
        raise
    print(f"{len(folder.snapshots())} networks measured: {folder.path}")
    here = from_here(folder.path)
    print(next_commands(command("report", here), command("analyze", here)))
    return folder.path


def main() -> None:
    """The command."""
    run(import_run, __doc__)


if __name__ == "__main__":
    main()
