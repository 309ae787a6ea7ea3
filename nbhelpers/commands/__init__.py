"""The commands of `nbhelpers`, one thin module each; other packages do the work.

Every module has ``EXAMPLES`` (the end of its ``--help``), ``add_arguments(parser)`` and
``main(chosen)``, which returns the exit code. `nbhelpers.__main__` lists the commands and imports
only the requested one, so each module can import what it needs at its top. Exit codes: 0 done,
1 done, but something is wrong with the input, 2 nothing done (the request cannot be carried out).
"""
