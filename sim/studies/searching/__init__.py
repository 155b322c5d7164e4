"""The search for the value of one parameter at which a limit on an outcome is still kept."""
