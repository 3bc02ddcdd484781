"""The bundled speech model, and the code that trained it."""
