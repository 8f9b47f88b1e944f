"""The report of a call: what the journal knows of it, for people in the terminal and as a page, and for programs."""
