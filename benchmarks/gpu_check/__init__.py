"""`make gpu-check`: what a machine with a GPU must show before a grid is given to it. Needs what `dkd run` needs."""
