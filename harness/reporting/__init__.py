"""Reports rendered from a results folder alone. Imports neither torch nor mlflow, and of the methods only names."""
