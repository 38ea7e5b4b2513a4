"""Vectors: cases with their answers as data, and the programs that run them."""
