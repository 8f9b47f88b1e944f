"""The webhook: a team's own service is told what happens in calls, signed, in order, at least once."""
