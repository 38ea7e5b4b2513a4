"""The people API and the JSON routes of the stream API."""
