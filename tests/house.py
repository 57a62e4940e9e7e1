"""The tree of the project, read from the tree itself: rooms are the packages of `grok`, doors its modules."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src/grok"
ROOMS = sorted(folder.parent.name for folder in PACKAGE.glob("*/__init__.py"))
DOORS = sorted(file.stem for file in PACKAGE.glob("*.py") if file.stem != "__init__")  # `__main__` opens the others
MATHS = ("tasks", "model", "measures", "claims")  # import torch and no framework, and name no configuration key

FILES = {
    ".".join(("grok", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): file
    for file in PACKAGE.rglob("*.py")
}


@cache
def imports(file: Path) -> frozenset[str]:
    """Modules that a file imports, at whatever depth; `from grok.room import module` as grok.room.module."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else node.module for name in deeper}
    return frozenset(found)


def reached(module: str) -> set[str]:
    """Everything that importing a module of `grok` imports: its imports, theirs, and so on."""
    found: set[str] = set()
    left = {module}
    while left:
        new = set().union(*(imports(FILES[name]) for name in left)) - found
        found |= new
        left = {name for name in new if name in FILES}
    return found


def room(module: str) -> str:
    """The room of a module, or the door that it is."""
    return module.split(".")[1]
