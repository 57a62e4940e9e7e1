"""Which version of a package is installed."""

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "grokking-progress-measures"


def installed_version(package: str = DISTRIBUTION) -> str | None:
    """The version of an installed distribution, this one by default; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def version_line() -> str:
    """What `--version` says."""
    return f"grok {installed_version() or '(not installed)'}"
