"""A run on disk: one folder that holds everything, readable without this package.

    config.yaml       the configuration, frozen and resolved
    metrics.csv       a row a measurement: the source of truth
    spectra.csv       the share of every frequency in W_E and W_L at every measurement
    final_keys.csv    restricted and excluded loss of the whole history by the final network's keys
    snapshots/        step_00001200.safetensors: the weights, 4 bytes a parameter
    checkpoints/      step_00012000.ckpt: what is needed to go on
    summary.json      status, regime, events, final measures
    wandb_sent.json   what `grok.sync` has sent of it, and where to

Every file is either appended to by whole lines or replaced at once, so a killed run can be read.
"""

import csv
import errno
import io
import json
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from grok.runs.checksums import digest_of_file, digest_of_weights, refuse_other_weights, sealed_json, unsealed
from grok.runs.damage import DamagedFileError, reading
from grok.runs.files import flush, replacing, write_text
from grok.runs.heartbeat import is_silent

if TYPE_CHECKING:
    from torch import Tensor


class RunFolder:
    """The folder of one run.

    Args:
        path: where it is; made by whoever writes to it first.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.metrics = self.path / "metrics.csv"
        self.spectra = self.path / "spectra.csv"
        self.final_keys = self.path / "final_keys.csv"
        self.summary_file = self.path / "summary.json"
        self.wandb_sent = self.path / "wandb_sent.json"
        self.heartbeat = self.path / ".heartbeat"

    @property
    def holds_a_run(self) -> bool:
        return any(file.exists() for file in (self.config, self.metrics, self.summary_file))

    @property
    def holds_others(self) -> list[str]:
        """What is in the folder, but for what a process leaves that was killed before its run began."""
        names = sorted(entry.name for entry in self.path.iterdir()) if self.path.is_dir() else []
        return [name for name in names if not name.startswith(".") and not name.endswith(".part")]

    def require_there(self, file: Path) -> None:
        """`FileNotFoundError` where a file is gone that this process has written: somebody removed the folder."""
        if not file.exists():
            raise FileNotFoundError(errno.ENOENT, "it was removed while the run trained", str(file))

    @property
    def is_lost(self) -> bool:
        """Whether the run should be training, and has no heartbeat."""
        return self.lost_by(self.summary())

    def lost_by(self, summary: Mapping[str, Any]) -> bool:
        """The same by a summary that was read already."""
        return summary.get("status") in ("running", "concluding") and is_silent(self.heartbeat)

    # --- tables

    def append(self, file: Path, row: Mapping[str, Any]) -> None:
        """One more row; numbers are written so that they read back exactly. New columns rewrite the file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        columns = _header(file)
        new = [name for name in row if name not in columns]
        if new and columns:
            table = self.read(file)
            write_text(file, table.reindex(columns=[*columns, *new]).to_csv(index=False))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns + new, lineterminator="\n")
        if not columns:
            writer.writeheader()
        writer.writerow({name: "" if _is_nan(value) else value for name, value in row.items()})
        with file.open("a", encoding="utf-8") as out:
            out.write(text.getvalue())

    def holds(self, file: Path) -> bool:
        """Whether there is a table to read. `DamagedFileError` where there was one, and it is gone or empty."""
        with reading(file):
            if file.is_dir() or (file.exists() and _has_a_line(file)):
                return True
        if file.name in (self.summary().get("checksums") or {}) or (file == self.metrics and self.checkpoints()):
            raise DamagedFileError(file, "holds nothing to read" if file.exists() else "is missing")
        return False

    def read(self, file: Path) -> pd.DataFrame:
        """A table of this folder; a last line cut short by a kill is left out, and said."""
        with reading(file):
            text = file.read_text(encoding="utf-8")
            self.refuse_changed(file)
            whole = text[: text.rfind("\n") + 1]
            if whole != text:
                warnings.warn(f"{file} ends in a line that was cut short; read up to there.", stacklevel=2)
            return pd.read_csv(io.StringIO(whole), dtype={"keys": str})

    def last(self, file: Path) -> Mapping[str, Any]:
        """The last whole row of a table, numbers as numbers: what `read` has there, without the rows before it."""
        with reading(file):
            text = file.read_bytes()
            end = text.rfind(b"\n")
            begin = text.rfind(b"\n", 0, max(end, 0)) + 1
            header, row = text[: text.find(b"\n") + 1], text[begin : end + 1]
            names, values = (next(csv.reader([line.decode("utf-8")]), []) for line in (header, row))
            if begin == 0 or len(names) != len(values) or text.isspace() or b"," not in text:
                return {str(name): value for name, value in self.read(file).iloc[-1].items()}
            self.refuse_changed(file)
            return {name: _number(value) for name, value in zip(names, values, strict=True)}

    def refuse_changed(self, file: Path) -> None:
        """`ValueError` where a table is not what it was when the run ended, in a run that has."""
        try:
            kept = self.summary().get("checksums") or {}
        except DamagedFileError:  # which is said of the summary itself
            return
        if file.name in kept and self.holds(file) and kept[file.name] != digest_of_file(file):
            raise ValueError(
                "it was edited or damaged since the run ended: it does not agree with its checksum in summary.json;"
                " take it from a copy"
            )

    def truncate_after(self, step: int) -> None:
        """Drop rows and snapshots of measurements after `step`, which is where the run goes on."""
        for file in (self.metrics, self.spectra):
            if file.exists():
                table = self.read(file)
                write_text(file, table[table["step"] <= step].to_csv(index=False))
        for snapshot_step, file in self.snapshots().items():
            if snapshot_step > step:
                file.unlink()

    # --- weights

    def snapshots(self) -> dict[int, Path]:
        """The snapshots that are there, by step, in order."""
        return _by_step(self.path / "snapshots", "safetensors")

    def checkpoints(self) -> dict[int, Path]:
        """The checkpoints that are there, by step, in order."""
        return _by_step(self.path / "checkpoints", "ckpt")

    def snapshot_at(self, step: int) -> Path:
        return self.path / "snapshots" / f"step_{step:08d}.safetensors"

    def checkpoint_at(self, step: int) -> Path:
        return self.path / "checkpoints" / f"step_{step:08d}.ckpt"

    def save_snapshot(self, step: int, weights: Mapping[str, "Tensor"]) -> None:
        from safetensors import SafetensorError  # noqa: PLC0415 - as below
        from safetensors.torch import save_file  # noqa: PLC0415 - torch, which `grok.status` starts without

        weights = {name: w.detach().contiguous().cpu() for name, w in weights.items()}
        with replacing(self.snapshot_at(step), durable=False) as part:
            try:
                save_file(dict(weights), part, {"step": str(step), "sha256": digest_of_weights(weights)})
            except SafetensorError as error:  # a full disk, in words of its own
                raise OSError(f"{self.snapshot_at(step)}: {error}") from error

    def make_durable(self, after: int) -> None:
        """Wait until the disk has the tables and the snapshots after a step, before a checkpoint counts on them."""
        snapshots = self.path / "snapshots"
        for file in (self.metrics, self.spectra, *(x for step, x in self.snapshots().items() if step > after)):
            if file.exists():
                flush(file)
        if snapshots.exists():
            with suppress(OSError):  # a file system whose folders cannot be waited for
                flush(snapshots)

    def load_snapshot(self, step: int) -> dict[str, "Tensor"]:
        from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - as above

        file = self.snapshot_at(step)
        with reading(file):
            try:
                with safe_open(file, "pt") as opened:
                    kept, weights = opened.metadata() or {}, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            except SafetensorError as error:
                raise ValueError(str(error)) from error
            refuse_other_weights(weights, kept, step)
            return weights

    def thin_snapshots(self, keep: Iterable[int]) -> None:
        """Keep the snapshots of these steps alone."""
        wanted = set(keep)
        for step, file in self.snapshots().items():
            if step not in wanted:
                file.unlink()

    # --- summary

    def write_summary(self, **values: Any) -> None:
        """Replace the values given here, keep the others."""
        write_text(self.summary_file, sealed_json({**self.summary(), **values}, _plain))

    def summary(self) -> dict[str, Any]:
        if not self.summary_file.exists():
            return {}
        with reading(self.summary_file):
            return unsealed(json.loads(self.summary_file.read_text(encoding="utf-8")))

    def require_summary(self) -> None:
        """`DamagedFileError` where there is none, as there always is once a run trains."""
        if not self.summary_file.exists():
            raise DamagedFileError(self.summary_file, "is missing")

    def seal(self, **values: Any) -> None:
        """Note checksums of tables and configuration, and which snapshots there are, of a run that has ended.

        With them, at once, go `values` of the summary.
        """
        files = [file for file in (self.metrics, self.spectra, self.final_keys, self.config) if file.exists()]
        checksums = {file.name: digest_of_file(file) for file in files}
        kept = sorted({*self.snapshots(), *self.missing_snapshots()})
        self.write_summary(**values, checksums=checksums, kept=kept)

    def unseal(self) -> None:
        """Forget the checksums, before a table changes. `DamagedFileError` where one is another by then."""
        kept = self.summary().get("checksums") or {}
        for file in (self.metrics, self.spectra):
            with reading(file):
                self.refuse_changed(file)
        if kept:
            self.write_summary(checksums={})

    def missing_snapshots(self) -> list[int]:
        """Steps of a run that has ended whose snapshots were kept, and are gone."""
        return sorted({*self.summary().get("kept", ())} - {*self.snapshots()})


def kept_steps(
    steps: list[int],
    events: Iterable[tuple[int, int]],
    most: int,
    dense: tuple[int, int] | None = None,
    asked: Iterable[int] = (),
) -> list[int]:
    """At most `most` of `steps`: the first and last, those on either side of each event, and a geometric sequence.

    Args:
        dense: a stretch that half of the sequence is spread over evenly instead.
        asked: steps that are kept in any case.
    """
    steps = sorted(steps)
    if len(steps) <= most:
        return steps
    wanted = {steps[0], steps[-1], *(s for event in events for s in event if s in steps), *({*asked} & {*steps})}
    first = max(steps[0], 1)
    for n in range(4 * most):
        if len(wanted) >= most:
            break
        rest = [s for s in steps if s not in wanted]
        inside = [s for s in rest if dense and dense[0] <= s <= dense[1]] if n % 2 else []
        if dense and inside:
            target = dense[0] + (dense[1] - dense[0]) * _evenly(n // 2)
        else:
            target = first * (steps[-1] / first) ** _evenly(n // 2 if dense else n)
        wanted.add(min(inside or rest, key=lambda s: abs(s - target)))
    return sorted(wanted)


def _has_a_line(file: Path) -> bool:
    with file.open("rb") as opened:
        return b"\n" in opened.read(1 << 20)


def _evenly(n: int) -> float:
    """The n-th of a sequence in [0, 1) of which any number of the first are evenly spread (van der Corput's)."""
    return float(sum(int(bit) / 2 ** (i + 1) for i, bit in enumerate(reversed(f"{n:b}"))))


def _header(file: Path) -> list[str]:
    if not file.exists() or file.stat().st_size == 0:
        return []
    with file.open(encoding="utf-8") as lines:
        return next(csv.reader(lines))


def _by_step(folder: Path, suffix: str) -> dict[int, Path]:
    pattern = re.compile(rf"step_(\d+)\.{suffix}")
    found = {int(m[1]): file for file in folder.glob(f"*.{suffix}") if (m := pattern.fullmatch(file.name))}
    return dict(sorted(found.items()))


def _number(text: str) -> Any:
    try:
        return float(text) if text else math.nan
    except ValueError:
        return text


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
