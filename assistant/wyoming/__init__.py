"""Charley on a home's network, by the Wyoming protocol: satellites, and Home Assistant's services.

An adapter: it turns the network's messages into the core's blocks and text, and the core's sound
and text into messages. Nothing below knows of it.
"""
