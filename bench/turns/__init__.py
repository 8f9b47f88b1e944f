"""What tells the end of a turn from a pause: rules tuned on one half of the recordings, judged on the other."""
