"""The ports over AWS, one module per service: all AWS calls of the functions are made here.

Nothing is re-exported: a family imports the modules that it needs and no other.
"""
