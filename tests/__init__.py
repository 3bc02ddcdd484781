"""The tests of Charley."""
