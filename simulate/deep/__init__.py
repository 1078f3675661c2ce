"""Deep networks whose weights and hidden units are signs, trained on tables of several classes."""
