"""What a tree of processes has used."""

import os
import subprocess
import sys

import psutil
import pytest

from bench.density.cores import running_on
from bench.density.processes import cpu_seconds, pss_of, usage

# A child that burns CPU and ends, a grandchild that lives, and a word when both are so far.
PARENT = """
import subprocess, sys, time
burn = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", burn], check=True)
lasting = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print("ready", flush=True)
input()
lasting.communicate()
"""


def test_children_count_also_those_that_have_ended() -> None:
    """A job's process that ends during a measurement takes its seconds not with it."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        used = usage(parent.pid)
        assert used.processes == 2
        assert used.cpu_s >= 0.3
        assert cpu_seconds(parent.pid) >= used.cpu_s
        assert used.pss_mb > 2
        parent.communicate("\n")
    with pytest.raises(psutil.NoSuchProcess):
        usage(parent.pid)


def test_pss_is_read_in_mib() -> None:
    """And what says none is an error, not a zero."""
    assert pss_of("Rss:  9999 kB\nPss:                2048 kB\nPss_Anon: 1 kB\n") == 2.0
    with pytest.raises(ValueError, match="Pss"):
        pss_of("Rss: 1 kB\n")


def test_a_program_runs_where_it_was_started() -> None:
    """Its cores are those of the moment of its start; this process gets its own back."""
    before = os.sched_getaffinity(0)
    core = {max(before)}
    ask = "import os; print(sorted(os.sched_getaffinity(0)))"
    with running_on(core):
        said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(sorted(core))
    assert os.sched_getaffinity(0) == before
