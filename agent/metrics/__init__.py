"""What the worker counts and times, served at `GET /metrics`.

`catalogue` has every metric with its labels and their values. Whatever runs in a job process sends its samples to the
worker over a Unix socket (`pipe`), where `registry` adds them up. No content and no id is ever a label.

Prometheus' own way to share metrics between processes, files that all of them map, is not used: it keeps the files of
each process that ever was, and every call is a process.
"""
