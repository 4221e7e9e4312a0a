"""Findings as files that other programs read: JUnit XML, SARIF, GitHub annotations."""
