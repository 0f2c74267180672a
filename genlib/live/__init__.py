"""What the live studio needs of a model: its program, and the weights that the program names."""
