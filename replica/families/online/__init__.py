"""One-pass learning: closed equations of the overlaps, derived from network, teacher and loss."""
