"""Runs a recording through the whole pipeline of a call, without any server.

The microphone is a recording, the loudspeaker writes down what is played; everything between them (session, brain,
conversation, voice, journal) is `agent.call.core`, as in a call. With `--fast` time jumps: see `virtual_time`.

`performance` is one such call, `studio` holds what several share (models, time), `result` is what came of it, `files`,
`timeline` and `table` show it, and `command` is the command line's part.
"""
