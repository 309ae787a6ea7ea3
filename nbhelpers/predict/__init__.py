"""Your own files -> faces -> scores -> words and a page.

In the order of the work: `inputs` (which files, what they are), `choosing` (which detector),
`detector` (the network and its card), `people` (who is who in a clip), `scoring` (faces and their
scores), `wording` (sentences, JSON), `report` (the page).
"""
