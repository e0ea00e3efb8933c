"""`dkd compare`: two methods, two versions of the same cells, or cells of one's own and the committed ones."""
