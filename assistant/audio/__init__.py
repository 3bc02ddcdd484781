"""Sound: PCM, files, microphone, speaker, echo canceller, ducking."""
