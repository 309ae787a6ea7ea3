"""The commands of `python -m nbhelpers`, one module each.

Every command module has ``HELP`` (one line), ``EXAMPLES`` (the end of its ``--help``),
``add_arguments(parser)`` and ``main(chosen)``, which returns the exit code. They import what they
need inside ``main``, so that ``--help`` answers at once. Exit codes: 0 done, 1 done but something
is wrong with what was asked about, 2 nothing done (the request cannot be carried out).

What `predict` is made of: `inputs` (files -> pixels), `judging` (pixels -> faces -> scores),
`report` (the page). `frame` is the frame of every page made here.
"""
