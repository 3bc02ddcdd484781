"""How the bundled speech model is made: lexicon, graph, synthetic speech, training, export."""
