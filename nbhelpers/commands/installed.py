"""What a copy of the package lacks that was installed without its project."""

from nbhelpers.data import locate

NO_PROJECT = (
    "This copy of nbhelpers was installed without the project's notebooks, sample and detector; "
    "get the whole project from where the package came from (clone it, or unpack its archive) and "
    "run the command inside its folder."
)


def has_project() -> bool:
    """Say whether the notebooks lie beside the package, or at or above the working directory.

    Returns:
        False only where that is certain: not where the working directory is gone.
    """
    try:
        return (locate.project_root() / "notebooks").is_dir()
    except OSError:
        return True
