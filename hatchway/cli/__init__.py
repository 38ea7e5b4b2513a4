"""The command line `hatchway`: one file per verb, over the SDK."""
