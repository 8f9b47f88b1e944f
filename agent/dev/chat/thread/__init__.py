"""What a thread is and how it is kept: messages, who may open them, the SQLite file, and the one way into it."""
