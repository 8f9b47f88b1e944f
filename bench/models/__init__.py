"""One process of the local models under load: how many calls it serves before people wait longer."""
