"""The worker process: takes jobs, and does what is to be done beside calls."""
