"""Your own files -> faces -> scores -> text and a page.

In processing order: `inputs` (which files, of which kind), `choosing` (loads the detector),
`detector` (the network and its card), `people` (who is who in a clip), `scoring` (faces and their
scores), `wording` (sentences, JSON), `sections` (a file's part of a page), `report` (the page).
"""
