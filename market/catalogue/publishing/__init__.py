"""From a draft to a published listing: sign-off, review, versions, and a listing's published life."""
