"""Before anything of the project is imported: one thread, and shapes and types of the maths checked at run time."""

import torch
from house import MATHS
from jaxtyping import install_import_hook

torch.set_num_threads(1)
install_import_hook([f"grok.{room}" for room in MATHS], "beartype.beartype")
