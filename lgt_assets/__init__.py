"""Images, dense captions and boxes in; a Long Grounded Thoughts dataset out."""

__version__ = "0.1.0"
