"""`dkd show`: which methods, presets, datasets, networks, teachers and grids there are, and all about one."""
