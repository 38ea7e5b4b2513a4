"""Transcripts of sessions: chunks, their order, what is withheld, evidence, replay and search.

Pure: it is given frames and times, and gives back records; storage and clocks are others' matter.
"""
