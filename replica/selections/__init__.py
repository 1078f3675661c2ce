"""Which samples of a pool are kept."""

from replica.selections.tilted import Tilted as Tilted
