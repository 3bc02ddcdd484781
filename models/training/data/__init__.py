"""What the network hears in training: recordings, synthetic speech, noise, and their features."""
