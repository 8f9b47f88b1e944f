"""The embedded chat server: one thread per conversation, in both dialects of the chat protocol, for development.

The way of a message: `wire.websocket` opens a connection, `wire.session` takes its frames, `wire.guide` or `wire.unpod`
makes an action of each; `thread.posting` has `thread.store` keep the message and `wire.hub` show it to every
`wire.client`; `answers.answering` has the model answer what no worker does. `http_api` is what is asked over HTTP, and
`faults` is what can go wrong on purpose, in tests.
"""
