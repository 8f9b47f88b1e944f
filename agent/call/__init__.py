"""One call: its room, session, voice and captions; `call` is the whole, `core` what needs no room."""
