"""One's own files -> faces -> scores -> words and a page.

In the order of the work: `inputs` (which files, what they are), `detector` (the network and its
card), `scoring` (faces and their scores), `wording` (sentences, JSON), `report` (the page).
"""
