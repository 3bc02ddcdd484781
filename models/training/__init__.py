"""How the bundled speech model is made: data, labels, network, training, export and decoding graph.

`models.training.recipe` runs it all; `models/README.md` describes it.
"""
