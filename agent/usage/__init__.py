"""What a call used of its models, and what that costs."""
