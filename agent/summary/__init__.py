"""What a model makes of a call once it is over: a summary, and the outcome in fields that programs can read."""
