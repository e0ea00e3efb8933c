"""What is kept: records, where they lie, how they are read and written. Never imports torch."""
