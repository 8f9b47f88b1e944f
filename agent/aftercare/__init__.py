"""What is done for a call once it is over: its summary, and the last notice to the webhook."""
