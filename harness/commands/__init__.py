"""Looking after results: a file a command of `dkd`."""
