"""Teachers: trained once or taken from elsewhere, kept on a shelf, known by the sha256 of their weights."""
