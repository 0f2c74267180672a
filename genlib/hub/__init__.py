"""The Hugging Face Hub: models fetched from it, and what it answers when it refuses."""

from genlib.hub.fetch import fetch

__all__ = ["fetch"]
