"""Scenes: what a caller says, types and makes noise with, and what must and must not happen then.

Each `*.yaml` here is a scene, see `script`. They run through `agent.replay` in virtual time (`test_scenes`,
`python -m tests.scenes`), and in a real room (`python -m tests.scenes --room`).
"""
