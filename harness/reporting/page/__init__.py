"""The page that shows tables, figures and runs of all studies."""
