"""The commands of `nbhelpers`, one thin module each; the work is done in the rooms below.

Every module has ``EXAMPLES`` (the end of its ``--help``), ``add_arguments(parser)`` and
``main(chosen)``, which returns the exit code. `nbhelpers.__main__` lists the commands and imports
only the one that is asked for, so that they import what they need at their top. Exit codes: 0 done,
1 done but something is wrong with the input, 2 nothing done (the request cannot be
carried out).
"""
