"""What is typed for training besides settings: Hydra's options, whole, as it would take `--p=59` for `--package=59`."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

ALONE = ("-m", "--multirun", "--hydra-help", "--resolve", "-r", "--run")
WITH_VALUE = (
    *("-c", "--cfg", "-cd", "--config-dir", "-cn", "--config-name", "-cp", "--config-path"),
    *("-p", "--package", "-i", "--info", "-sc", "--shell-completion", "--experimental-rerun"),
)


def refuse_what_is_no_setting(words: Sequence[str]) -> None:
    """`ValueError` for what is neither an option nor a setting."""
    before = ""
    for word in words:
        name = word.partition("=")[0]
        if word.startswith("-"):
            if name not in (*ALONE, *WITH_VALUE):
                raise ValueError(_option_sentence(word, name))
        elif "=" not in word and not word.startswith("~") and before not in WITH_VALUE:
            raise ValueError(_word_sentence(word))
        before = word


def own_config_folders(words: Sequence[str]) -> list[Path]:
    """Folders of configuration that were typed besides conf/."""
    found: list[str] = []
    for n, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in ("-cd", "--config-dir"):
            found += [value] if equals else words[n + 1 : n + 2]
        elif name.lstrip("+") == "hydra.searchpath":
            found += [text.strip(" '\"").removeprefix("file://") for text in value.strip("[]").split(",")]
    return [Path(text) for text in found]


def _option_sentence(word: str, name: str) -> str:
    if "=" in word:
        bare = word.lstrip("-")
        return f"Settings are typed without dashes, as {bare}; a W&B sweep has ${{args_no_hyphens}} for it. Got {word}."
    near = get_close_matches(name, [*ALONE, *WITH_VALUE, "--help", "--version"], n=1)
    nearest = f"The nearest: `{near[0]}`." if near else "--help lists what there is."
    return f"`{word}` is not an option. {nearest}"


def _word_sentence(word: str) -> str:
    if word == "latest" or Path(word).is_dir():
        kind = "sweep" if (Path(word) / "sweep.json").exists() else "resume"
        with_m = " with -m" if kind == "sweep" else ""
        return f"Settings are typed as name=value; {kind}={word}{with_m} goes on with that folder. Got {word}."
    return f"Settings are typed as name=value; --help lists them. Got {word}."
