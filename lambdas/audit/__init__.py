"""Audit records, from where they were written to where they are kept; events of denials."""
