"""Your own files -> faces -> scores -> words and a page.

In the order of the work: `inputs` (which files, what they are), `choosing` (loading the detector),
`detector` (the network and its card), `people` (who is who in a clip), `scoring` (faces and their
scores), `wording` (sentences, JSON), `sections` (a file's part of a page), `report` (the page).
"""
