"""Python runs this at its start where this folder is on its path: the process is metered."""

from bench.profile.meter import install

install()
