"""What encoders read of a text, with or without torch."""

MOST_CHARACTERS = 10_000
"""Of a longer text the beginning counts; 512 tokens are far less."""
