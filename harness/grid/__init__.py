"""What is asked: studies, their cells, and the keys of what these depend on. Never imports torch."""
