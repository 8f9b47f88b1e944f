"""The bridge between a call and its thread, measured: how soon, how much, and at what cost to the voice."""
