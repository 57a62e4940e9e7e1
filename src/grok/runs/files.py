"""Writing a file at once: all of it, or as it was before."""

import os
from pathlib import Path


def write_text(file: Path, text: str, durable: bool = True) -> None:
    """Write `text` to `file`, all of it or nothing; `durable` waits for the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    with part.open("w") as out:
        out.write(text)
        if durable:
            out.flush()
            os.fsync(out.fileno())
    part.replace(file)
