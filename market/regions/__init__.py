"""Administrative divisions as a tree with validity dates."""
