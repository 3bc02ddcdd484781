"""How well people are heard, and what is heard that was not said to Charley."""
