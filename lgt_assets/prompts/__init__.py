"""Prompt sets: one folder of sandboxed Jinja templates each, and the loader that renders them."""
