"""What Charley costs, and whether it lasts: for hours, on busy machines, under attack."""
