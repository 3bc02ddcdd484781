"""How soon Charley is ready, answers and falls silent."""
