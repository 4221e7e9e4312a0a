"""Runs flows over links; the transaction, its journal, recover."""
