"""What the agent does when somebody speaks, hums, coughs or slams a door while it speaks, at the listener's ear."""
