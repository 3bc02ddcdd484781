"""A microphone and a speaker, in real time."""
