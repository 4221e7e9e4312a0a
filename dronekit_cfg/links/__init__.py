"""The only package that touches ports."""
