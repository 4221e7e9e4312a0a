"""Findings, runs and flights as files: JUnit XML, SARIF, GitHub annotations and JSON for programs, HTML for people."""
