"""Once a minute, and when IAM or tags change: a session lasts no longer than its permission."""
