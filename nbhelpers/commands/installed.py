"""What the package lacks when it is installed without its project."""

from nbhelpers.data import locate

NO_PROJECT = (
    "This copy of nbhelpers was installed without the project's notebooks, sample and detector; "
    "get the whole project from where the package came from (clone it, or unpack its archive) and "
    "run the command inside its folder."
)


def has_project() -> bool:
    """Return whether the notebooks are beside the package, or in or above the working directory.

    Returns:
        False only if this is certain, thus not if the working directory has been deleted.
    """
    try:
        return (locate.project_root() / "notebooks").is_dir()
    except OSError:
        return True
