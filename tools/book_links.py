"""Sphinx extension: links to files of the project that are not pages of the site."""

import posixpath
from pathlib import Path


def setup(app) -> dict:
    """Register the extension with Sphinx."""
    app.add_config_value("checkout", "", "env")
    app.add_config_value("repository", "", "env")
    app.connect("doctree-read", _settle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _settle(app, doctree) -> None:
    """Resolve the links of one page; links to pages and broken links are left to Sphinx."""
    from docutils import nodes
    from sphinx import addnodes

    for link in list(doctree.findall(addnodes.pending_xref)):
        if link["reftype"] != "myst":
            continue
        if link.get("refdomain") == "doc":
            if link["reftarget"] == "README":
                link["reftarget"] = app.config.root_doc
            continue
        path = path_in_project(app.env.docname, link["reftarget"])
        if path is None or not Path(app.config.checkout, path).exists():
            continue
        address = address_of(path, app.config.checkout, repository=app.config.repository)
        if address:
            settled = nodes.reference("", "", *link.children, refuri=address, internal=False)
            link.replace_self(settled)
        else:
            link.replace_self(link.children)


def path_in_project(page: str, target: str) -> str | None:
    """Return the file of the project to which a link points.

    Args:
        page: name of the page with the link, such as `docs/speed`.
        target: of the link, such as `../tests/test_sample.py#L3`.

    Returns:
        A path relative to the project; None for a link out of the project or within the same page.

    >>> path_in_project("docs/speed", "../tests/test_sample.py")
    'tests/test_sample.py'
    >>> path_in_project("docs/speed", "#measured"), path_in_project("index", "../elsewhere")
    (None, None)
    """
    path = target.partition("#")[0]
    if not path or "://" in path:
        return None
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    return None if joined.startswith(("..", "/")) else joined


def address_of(path: str, checkout: str, *, repository: str) -> str:
    """Return the address of a project file on its code host.

    Args:
        path: of a file or folder, relative to the project.
        checkout: the project's folder.
        repository: address of the project; "" where none is known.

    Returns:
        The address; "" where none is known.

    >>> address_of("LICENSE", ".", repository="https://github.com/someone/deepfakes")
    'https://github.com/someone/deepfakes/blob/main/LICENSE'
    >>> address_of("LICENSE", ".", repository="")
    ''
    """
    kind = "tree" if Path(checkout, path).is_dir() else "blob"
    return repository and f"{repository}/{kind}/main/{path}"
