"""The data of a language."""
