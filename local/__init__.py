"""Trying out and developing Hatchway on one machine: the embedded AWS, the demo, the tests' stacks.

It sits on top of everything and is imported by nothing but the tests.
"""
