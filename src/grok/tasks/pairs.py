"""All p² pairs of a run: their answers, and which of them are trained, mirrored and unseen."""

from functools import cached_property

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from grok.tasks import operations, splits
from grok.tasks.structure import Structure, structure


class AllPairs:
    """What follows from the answers and the split alone; found out once a run, however often it is measured.

    Args:
        answers: the right answer of each pair.
        train: True on training pairs.
        unseen: True on the unseen pairs; by default those of `splits.unseen_mask`.
    """

    GROUPS = ("mirrored", "unseen, first half", "unseen, second half", "train")  # the numbers in `group`

    def __init__(
        self,
        answers: Int[Tensor, "a=p b=p"],
        train: Bool[Tensor, "a=p b=p"],
        unseen: Bool[Tensor, "a=p b=p"] | None = None,
    ) -> None:
        self.answers = answers
        self.train = train
        self.unseen = splits.unseen_mask(train, answers) if unseen is None else unseen
        self.a, self.b = (grid.flatten().to(answers.device) for grid in operations.all_pairs(len(answers)))

    def to(self, device: torch.device) -> "AllPairs":
        """The same on another device."""
        return AllPairs(self.answers.to(device), self.train.to(device), self.unseen.to(device))

    @cached_property
    def rows(self) -> dict[str, Int[Tensor, " q"]]:
        """The train, test, unseen and mirrored pairs, as rows of the flattened table."""
        masks = {
            "train": self.train,
            "test": ~self.train,
            "unseen": self.unseen,
            "mirrored": ~self.train & ~self.unseen,
        }
        return {name: mask.flatten().nonzero().flatten() for name, mask in masks.items()}

    @property
    def counts(self) -> dict[str, int]:
        """How many pairs are trained, unseen and mirrored."""
        return {name: len(self.rows[name]) for name in ("train", "unseen", "mirrored")}

    @cached_property
    def group(self) -> Int[Tensor, "a=p b=p"]:
        """Which of `GROUPS` each pair belongs to. A pair and its mirror lie in the same half of the unseen ones."""
        group = (self.unseen.long() + 3 * self.train).flatten()
        rows, p = self.rows["unseen"], len(self.answers)
        a, b = rows // p, rows % p
        names = torch.minimum(a, b) * p + torch.maximum(a, b) if splits.is_symmetric(self.answers) else rows
        rank: Tensor = names.unique(return_inverse=True)[1]  # type: ignore[no-untyped-call]
        group[rows] += rank % 2
        return group.view_as(self.answers)

    @cached_property
    def structure(self) -> Structure:
        """The group behind the answers; that of addition, to describe by, where there is none."""
        return structure(self.answers)

    @cached_property
    def is_linear(self) -> bool:
        """Whether the answer is an invertible linear function of a and b, so that sum waves exist."""
        return operations.is_linear(self.answers)
