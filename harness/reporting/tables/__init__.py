"""The tables of a study, as plain data, and what they are written as."""
