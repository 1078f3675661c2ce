"""The compiled solver: charts, linear algebra, fixed point, Newton, one point, a march over points."""
