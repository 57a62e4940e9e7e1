"""Every command by its name: `grok train p=59`, `python -m grok report latest`; `grok` alone lists them."""

import ast
import importlib
import sys
from difflib import get_close_matches
from pathlib import Path

REFUSED = 2  # exit status
IN_ORDER = ("train", "status", "report", "analyze", "collect")  # as they are first needed; the others by name


def commands() -> dict[str, str]:
    """Every command with the first line of its description, which is read without importing the command."""
    files = {file.stem: file for file in Path(__file__).parent.glob("*.py") if not file.stem.startswith("_")}
    names = [*IN_ORDER, *sorted(files.keys() - {*IN_ORDER})]
    return {name: _first_line(files[name]) for name in names}


def _first_line(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0].rstrip(".:")


def main() -> None:
    """Run the command that is named first; what follows it is its own."""
    name, *words = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help", "help") and words[:1]:
        name, words = words[0], ["--help"]
    if name in ("-h", "--help", "help"):
        print("usage: grok <command> [folder …] [setting=value …]\n")
        print("\n".join(f"  {command:<11} {words}" for command, words in commands().items()))
        print(
            "\ngrok <command> --help describes each argument, grok --version what is installed.\n"
            "python -m grok.<command> is the same."
        )
        return
    if name == "--version":
        print(importlib.import_module("grok.settings.version").version_line())
        return
    command = name.replace("-", "_")
    if command not in commands():
        near = get_close_matches(command, commands(), n=1)
        nearest = f" The nearest: `{near[0]}`." if near else ""
        print(f"`{name}` is not a command.{nearest} The commands are {', '.join(commands())}.", file=sys.stderr)
        sys.exit(REFUSED)
    sys.argv = [sys.argv[0], *words]
    importlib.import_module(f"grok.{command}").main()


if __name__ == "__main__":
    main()
